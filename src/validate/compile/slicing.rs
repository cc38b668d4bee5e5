//! Discriminators into conditions: for each slice the way to the value that decides, and what the value must be
//! (<https://hl7.org/fhir/R4/profiling.html#discriminator>).

use crate::fhir::definitions::{
    Discriminator, DiscriminatorKind, Max, Slicing as Definition, SlicingRules, Strength, StructureDefinition,
};
use crate::fhir::issue::Issue;
use crate::fhir::types::{TypeIndex, Types};

use crate::validate::rule::Rule;
use crate::validate::schema::{Condition, Node, Slice, Slicing, Step, Test};
use crate::validate::schemas::Schemas;

use super::draft::{Draft, Drafts};
use super::failure;
use super::trees::{Cursor, Trees};

/// Fills in the slicings of a profile's nodes, and which children are limited in number.
pub fn resolve(
    schemas: &Schemas,
    structure: &StructureDefinition,
    drafts: &Drafts,
    nodes: &mut [Node],
) -> Result<(), Issue> {
    let mut slicings = Vec::new();
    for (position, draft) in drafts.all.iter().enumerate().filter(|(_, draft)| !draft.slices.is_empty()) {
        let fail = |reason: String| failure(&structure.url, &draft.id, &reason);
        slicings.push((position, slicing(schemas, drafts, nodes, draft).map_err(fail)?));
    }
    for (position, slicing) in slicings {
        nodes[position].slicing = Some(slicing);
    }
    let is_limited: Vec<bool> =
        nodes.iter().map(|node| node.min > 0 || node.max.is_some() || node.slicing.is_some()).collect();
    for node in nodes {
        let children = (0..).zip(&node.children).filter(|(_, (_, child))| is_limited[*child as usize]);
        node.limited = children.map(|(position, _)| position).collect();
    }
    Ok(())
}

fn slicing(schemas: &Schemas, drafts: &Drafts, nodes: &[Node], draft: &Draft) -> Result<Slicing, String> {
    let definition = draft.slicing.clone().unwrap_or_else(|| implied(draft));
    let mut slices = Vec::new();
    for (name, position) in &draft.slices {
        let slice = &drafts.all[*position];
        let mut conditions = Some(Vec::new());
        for discriminator in &definition.discriminators {
            let found = discriminated(schemas, drafts, nodes, *position, discriminator)?;
            conditions = conditions.zip(found).map(|(mut all, found)| {
                all.extend(found);
                all
            });
        }
        slices.push(Slice {
            name: name.clone(),
            node: u32::try_from(*position).unwrap_or(0),
            min: slice.element.min.unwrap_or(0),
            max: match slice.element.max {
                Some(Max::Count(max)) => Some(max),
                _ => None,
            },
            conditions: conditions.unwrap_or_default(),
        });
    }
    number_ways(&mut slices);
    let ambiguous = are_ambiguous(&slices, nodes);
    Ok(Slicing { rules: definition.rules, ordered: definition.ordered, slices, ambiguous })
}

/// Whether two slices have the same conditions. What differs by a binding that is not required may still be told apart by it.
fn are_ambiguous(slices: &[Slice], nodes: &[Node]) -> bool {
    let has_binding =
        |slice: &Slice| nodes[slice.node as usize].rules.iter().any(|rule| matches!(rule, Rule::Binding(_)));
    let told: Vec<String> = slices.iter().map(|slice| format!("{:?}", slice.conditions)).collect();
    let is_again = |(at, text): (usize, &String)| {
        !slices[at].conditions.is_empty() && !has_binding(&slices[at]) && told[..at].contains(text)
    };
    told.iter().enumerate().any(is_again)
}

/// Gives conditions with the same steps the same number.
fn number_ways(slices: &mut [Slice]) {
    let mut ways: Vec<Vec<Step>> = Vec::new();
    for condition in slices.iter_mut().flat_map(|slice| &mut slice.conditions) {
        condition.way = ways.iter().position(|known| *known == condition.steps).unwrap_or_else(|| {
            ways.push(condition.steps.clone());
            ways.len() - 1
        });
    }
}

/// Extensions are told apart by url, choices by type, without a profile saying so.
fn implied(draft: &Draft) -> Definition {
    let (kind, path) =
        if draft.is_choice { (DiscriminatorKind::Type, "$this") } else { (DiscriminatorKind::Value, "url") };
    let is_implied = draft.is_choice || matches!(draft.name.as_str(), "extension" | "modifierExtension");
    let discriminators = if is_implied { vec![Discriminator { kind, path: path.to_owned() }] } else { Vec::new() };
    Definition { discriminators, ordered: false, rules: SlicingRules::Open }
}

/// The conditions that one discriminator makes for one slice; none where the profile does not say.
fn discriminated(
    schemas: &Schemas,
    drafts: &Drafts,
    nodes: &[Node],
    slice: usize,
    discriminator: &Discriminator,
) -> Result<Option<Vec<Condition>>, String> {
    let mut steps = Vec::new();
    let mut trees = Trees::new(schemas, drafts, nodes);
    let mut cursor = trees.start(slice);
    for token in tokens(&discriminator.path) {
        if token != "$this" {
            steps.push(trees.advance(&mut cursor, &token)?);
        }
    }
    Ok(match discriminator.kind {
        DiscriminatorKind::Value | DiscriminatorKind::Pattern => values(&mut trees, &cursor, &steps),
        DiscriminatorKind::Exists => exists(&trees, &cursor, drafts).map(|test| one(steps, vec![test])),
        DiscriminatorKind::Type => {
            let types: Vec<TypeIndex> = if steps.last() == Some(&Step::Resolve) {
                cursor.targets.iter().filter_map(|target| Types::r4().get(&target.type_)).collect()
            } else {
                trees.choices(&cursor).unwrap_or_else(|| cursor.types.clone())
            };
            (!types.is_empty()).then(|| one(steps, vec![Test::Types(types)]))
        }
        DiscriminatorKind::Profile => {
            let resolved = steps.last() == Some(&Step::Resolve);
            let profiles = if resolved { trees.target_profiles(&cursor) } else { trees.type_profiles(&cursor) };
            (!profiles.is_empty()).then(|| one(steps, vec![Test::Profiles(profiles)]))
        }
    })
}

fn one(steps: Vec<Step>, tests: Vec<Test>) -> Vec<Condition> {
    vec![Condition { steps, way: 0, tests }]
}

/// Splits a restricted FHIRPath at its dots, those within quotes and parentheses excepted.
fn tokens(path: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let mut depth = 0_u32;
    for letter in path.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter == '.' && depth == 0 {
            tokens.push(String::new());
        } else if let Some(last) = tokens.last_mut() {
            last.push(letter);
        }
    }
    tokens
}

fn exists(trees: &Trees<'_>, cursor: &Cursor, drafts: &Drafts) -> Option<Test> {
    let draft = &drafts.all[trees.own(cursor)?];
    match (draft.element.min, draft.element.max) {
        (_, Some(Max::Count(0))) => Some(Test::Exists(false)),
        (Some(1..), _) => Some(Test::Exists(true)),
        _ => None,
    }
}

/// Fixed and pattern values and required bindings at the place, or at its descendants.
fn values(trees: &mut Trees<'_>, cursor: &Cursor, steps: &[Step]) -> Option<Vec<Condition>> {
    if !cursor.prescribed.is_empty() {
        let tests = cursor.prescribed.iter().cloned().map(Test::Contains).collect();
        return Some(one(steps.to_vec(), tests));
    }
    if trees.is_forbidden(cursor) {
        return Some(one(steps.to_vec(), vec![Test::Exists(false)]));
    }
    let tests: Vec<Test> = trees.rules(cursor).filter_map(test).collect();
    if !tests.is_empty() {
        return Some(one(steps.to_vec(), tests));
    }
    let mut conditions = Vec::new();
    below(trees, cursor, steps, &mut conditions, 0);
    (!conditions.is_empty()).then_some(conditions)
}

fn test(rule: &Rule) -> Option<Test> {
    match rule {
        Rule::Fixed(value) => Some(Test::Equals(value.clone())),
        Rule::Pattern(value) => Some(Test::Contains(value.clone())),
        Rule::Binding(binding) if binding.strength == Strength::Required => Some(Test::InValueSet(binding.clone())),
        _ => None,
    }
}

/// Conditions from the fixed and pattern values of descendants.
fn below(trees: &mut Trees<'_>, cursor: &Cursor, steps: &[Step], conditions: &mut Vec<Condition>, depth: u32) {
    if depth == 4 {
        return;
    }
    for name in trees.child_names(cursor) {
        let mut inner = cursor.clone();
        let Ok(step) = trees.advance(&mut inner, &name) else { continue };
        let steps: Vec<Step> = steps.iter().cloned().chain([step]).collect();
        let tests: Vec<Test> = trees.rules(&inner).filter_map(test).collect();
        if tests.is_empty() {
            below(trees, &inner, &steps, conditions, depth + 1);
        } else {
            conditions.push(Condition { steps, way: 0, tests });
        }
    }
}
