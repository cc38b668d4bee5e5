//! The static check of function calls: what each function gives for what it gets. Called by `check`.

use super::check::{Checker, Items, Known};
use super::compile::qualified;
use super::error::CompileError;
use super::syntax::Tree;

/// What is known about a result, or what is wrong.
pub(super) type Checked = Result<Known, CompileError>;

/// Checks a call on `input`; `focus` is what arguments that are no criteria start from.
pub(super) fn call(
    checker: &Checker<'_>,
    tree: &Tree,
    name: &str,
    input: &Known,
    arguments: &[Tree],
    focus: &Known,
) -> Checked {
    if matches!(name, "first" | "last" | "tail" | "skip" | "take") {
        checker.expect_order(tree, input, name)?;
    }
    if is_text_function(name) && checker.never_text(input) {
        return Err(checker.error(tree, format!("`{name}()` needs text and its input never is")));
    }
    match (name, arguments) {
        ("ofType" | "as", [argument]) => return cast(checker, argument, input),
        ("is", _) => return Ok(Known::system("Boolean")),
        ("iif", _) => return iif(checker, arguments, input),
        ("where" | "select" | "all" | "exists" | "repeat" | "trace" | "sort" | "aggregate", _) => {
            return criteria(checker, name, arguments, input);
        }
        _ => {}
    }
    for argument in arguments {
        checker.infer(argument, focus)?;
    }
    Ok(result(checker, name, input))
}

fn is_text_function(name: &str) -> bool {
    matches!(
        name,
        "startsWith"
            | "endsWith"
            | "contains"
            | "matches"
            | "matchesFull"
            | "replace"
            | "replaceMatches"
            | "substring"
            | "indexOf"
            | "length"
            | "upper"
            | "lower"
            | "trim"
            | "split"
            | "toChars"
    )
}

fn cast(checker: &Checker<'_>, argument: &Tree, input: &Known) -> Checked {
    let name = qualified(argument).ok_or_else(|| checker.error(argument, "expected the name of a type"))?;
    checker.cast(argument, input, &name)
}

fn iif(checker: &Checker<'_>, arguments: &[Tree], input: &Known) -> Checked {
    let this = input.single();
    let mut known = Vec::new();
    for argument in arguments {
        known.push(checker.infer(argument, &this)?);
    }
    if let (Some(criterion), Some(argument)) = (known.first(), arguments.first()) {
        let literal = matches!(criterion.items, Items::System(_));
        if literal && (criterion.many || criterion.items != Items::System("Boolean")) {
            return Err(checker.error(argument, "the condition of `iif()` is no single boolean"));
        }
    }
    Ok(match known.as_slice() {
        [_, one, two] if one.items == two.items => Known { many: one.many || two.many, ..one.clone() },
        _ => Known::any(),
    })
}

fn criteria(checker: &Checker<'_>, name: &str, arguments: &[Tree], input: &Known) -> Checked {
    let this = input.single();
    let mut last = None;
    for argument in arguments {
        // What `repeat` and `aggregate` visit is not only their input.
        let focus = if matches!(name, "repeat" | "aggregate") { Known::any() } else { this.clone() };
        last = Some(checker.infer(argument, &focus)?);
    }
    Ok(match (name, last) {
        ("all" | "exists", _) => Known::system("Boolean"),
        ("select", Some(projected)) => {
            Known { many: input.many || projected.many, ordered: input.ordered && projected.ordered, ..projected }
        }
        ("repeat" | "aggregate", _) => Known::any(),
        _ => input.clone(),
    })
}

/// What the other functions give.
fn result(checker: &Checker<'_>, name: &str, input: &Known) -> Known {
    match name {
        "single" | "first" | "last" => input.single(),
        "tail" | "skip" | "take" | "distinct" | "exclude" | "intersect" | "checkModifiers" => input.clone(),
        "extension" => checker.types.get("Extension").map_or(Known::any(), |type_| Known::fhir(vec![type_], true)),
        "children" | "descendants" => Known { ordered: false, ..Known::any() },
        "empty" | "not" | "allTrue" | "anyTrue" | "allFalse" | "anyFalse" | "subsetOf" | "supersetOf"
        | "isDistinct" | "hasValue" | "hasExtension" | "startsWith" | "endsWith" | "contains" | "matches"
        | "matchesFull" | "memberOf" | "conformsTo" | "htmlChecks" | "toBoolean" => Known::system("Boolean"),
        "count" | "length" | "indexOf" | "toInteger" => Known::system("Integer"),
        "toDecimal" => Known::system("Decimal"),
        "toString" | "substring" | "upper" | "lower" | "trim" | "replace" | "replaceMatches" | "join" => {
            Known::system("String")
        }
        "today" | "toDate" => Known::system("Date"),
        "now" | "toDateTime" => Known::system("DateTime"),
        _ => Known::any(),
    }
}
