//! What the suite does not cover: compile errors, limits, choices of unknown type, references, terminology.

use kith::fhir::types::Types;
use kith::fhirpath::{Context, EvaluateError, Expression, Item, Node, Services};
use serde_json::{Value, json};

const NOW: i64 = 1_795_255_200_000_000;

fn evaluate(source: &str, resource: &Value) -> Result<Vec<String>, EvaluateError> {
    let expression = Expression::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut context = Context::new(resource, NOW);
    context.limits.steps = 300_000;
    let items = expression.evaluate(&context, Item::resource(resource, Types::r4()))?;
    let text = |item: &Item<'_>| item.system(Types::r4()).and_then(|value| value.to_text()).unwrap_or("…".to_owned());
    Ok(items.iter().map(text).collect())
}

#[test]
fn compile_errors_say_where_and_what_is_expected() {
    let error = |source: &str| Expression::compile(source).map(|_| ()).unwrap_err().to_string();
    let cases = [
        ("name.where(", "FHIRPath, line 1, column 12: found the end: expected a name, a literal"),
        ("name.\n  exits()", "line 2, column 3: there is no function `exits()`; did you mean `exists()`?"),
        ("name.substring()", "column 6: `substring()` takes 1 to 2 arguments and has 0"),
        ("value is Quantitty", "column 7: `Quantitty` is no type of FHIR R4"),
        ("name = 'x", "column 8: the text is not closed"),
        ("a /* b", "the comment is not closed"),
        ("matches('(')", "column 1: the regular expression is not valid"),
        ("a = @2015-13", "column 5: @2015-13 is no date"),
        ("a # b", "column 3: `#` has no meaning here"),
        ("'\\q'", "unknown escape"),
        ("a b", "found `b`: expected an operator or the end"),
        ("$that", "expected $this, $index or $total"),
    ];
    for (source, expected) in cases {
        assert!(error(source).contains(expected), "{source}: {}", error(source));
    }
}

#[test]
fn deep_and_long_expressions_are_refused() {
    for source in
        ["(".repeat(5000), "-".repeat(5000) + "1", vec!["1"; 5000].join("+"), "a".to_owned() + &".a".repeat(5000)]
    {
        assert!(Expression::compile(&source).unwrap_err().text.contains("nests deeper"));
    }
    assert!(Expression::compile(&" ".repeat(100_000)).unwrap_err().text.contains("longer than"));
    assert!(Expression::compile(&vec!["a"; 5000].join("|")).is_ok(), "unions are flat");
}

#[test]
fn hostile_expressions_end() {
    let names: Vec<Value> =
        (0..300).map(|number| json!({ "family": format!("F{number}"), "given": ["a", "b"] })).collect();
    let patient = json!({ "resourceType": "Patient", "name": names });
    let all = "descendants().where(".repeat(6) + "true" + &")".repeat(6);
    let nested = "name.select(%resource.name.select(%resource.name.select(%resource.name.given))).count()";
    let doubling = format!("'aaaaaaaa'{}.length()", ".replace('a', 'aaaaaaaaaaaaaaaa')".repeat(20));
    let growing = "(1|2).repeat($this + 1).count()";
    for (source, expected) in [
        (nested, EvaluateError::TooManySteps),
        (&*doubling, EvaluateError::TextTooLong),
        (growing, EvaluateError::TooManySteps),
        (
            "name.where(%resource.descendants().where(%resource.descendants().exists(false)).exists())",
            EvaluateError::TooManySteps,
        ),
    ] {
        assert_eq!(evaluate(source, &patient), Err(expected), "{source}");
    }
    assert!(evaluate(&all, &patient).is_ok());
}

/// The deepest expressions that compile run within an ordinary thread's stack, on the deepest resource that is read.
#[test]
fn deep_expressions_run_within_the_stack() {
    let mut extension = json!({ "url": "u", "valueCode": "c" });
    for _ in 0..50 {
        extension = json!({ "url": "u", "extension": [extension] });
    }
    let patient = json!({ "resourceType": "Patient", "active": true, "extension": [extension] });
    let shapes = [
        ("where(", "true", ")"),
        ("extension.select(%resource.", "extension", ")"),
        ("%resource.descendants().first().exists(", "true", ")"),
        ("%resource.descendants().last().select(", "extension", ")"),
        ("iif(true, ", "1", ")"),
        ("(true and ", "true", ")"),
        ("(1 + ", "1", ")"),
        ("(1 = ", "1", ").not()"),
        ("combine(", "1", ")"),
        ("(1 | ", "1", ")"),
        ("-", "1", ""),
        ("aggregate(", "1", ")"),
        ("sort(", "1", ")"),
    ];
    let run = move || {
        for (open, middle, close) in shapes {
            let deepest = (1..200)
                .map(|depth| format!("{}{middle}{}", open.repeat(depth), close.repeat(depth)))
                .take_while(|source| Expression::compile(source).is_ok())
                .last()
                .unwrap();
            let _ = evaluate(&deepest, &patient);
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn choices_are_found_by_type_and_by_name() {
    let observation = json!({ "resourceType": "Observation", "valueQuantity": { "value": 4.0, "code": "g" },
        "component": [{ "valueString": "x" }, { "_valueString": { "extension": [{ "url": "u", "valueInteger": 7 }] } }] });
    assert_eq!(evaluate("value.value", &observation).unwrap(), ["4.0"]);
    assert_eq!(evaluate("(value as Quantity) = 4000 'mg'", &observation).unwrap(), ["true"]);
    assert_eq!(evaluate("valueQuantity", &observation).unwrap(), [""; 0]);
    assert_eq!(evaluate("component.value.count()", &observation).unwrap(), ["2"]);
    assert_eq!(evaluate("component.value.extension('u').value", &observation).unwrap(), ["7"]);
    assert_eq!(evaluate("component.value.select(hasValue())", &observation).unwrap(), ["true", "false"]);

    let unknown = json!({ "thing": { "valueQuantity": { "value": 1, "unit": "h" }, "when": "2026-11-21" } });
    assert_eq!(evaluate("thing.value is Quantity", &unknown).unwrap(), ["true"]);
    assert_eq!(evaluate("thing.when = @2026-11-21 and thing.when > @2026-11-20", &unknown).unwrap(), ["true"]);
}

#[test]
fn search_expressions_take_several_items_where_the_strict_language_does_not() {
    let observation = json!({ "resourceType": "Observation", "component": [
        { "valueQuantity": { "value": 1 } }, { "valueString": "x" }, { "valueQuantity": { "value": 2 } }] });
    assert_eq!(evaluate("(Observation.component.value as Quantity).value", &observation).unwrap(), ["1", "2"]);
    let expression = Expression::compile("(Observation.component.value as Quantity).value").unwrap();
    let mut context = Context::new(&observation, NOW);
    context.strict_as = true;
    let result = expression.evaluate(&context, Item::resource(&observation, Types::r4()));
    assert_eq!(result.unwrap_err(), EvaluateError::NotSingle("as"));
}

#[derive(Debug)]
struct Known(Value);

impl Services for Known {
    fn resolve<'a>(&'a self, reference: &str) -> Option<Node<'a>> {
        (reference == "Patient/p").then(|| Node::resource(&self.0, Types::r4()))
    }

    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        (value_set == "http://example.org/vs").then(|| system == Some("s") && code == "c")
    }

    fn subsumes(&self, system: &str, general: &str, specific: &str) -> Option<bool> {
        (system == "s").then(|| specific.starts_with(general))
    }
}

#[test]
fn references_resolve_in_the_resource_the_bundle_and_the_services() {
    let bundle = json!({ "resourceType": "Bundle", "entry": [
        { "fullUrl": "urn:uuid:1", "resource": { "resourceType": "Practitioner", "id": "x" } },
        { "fullUrl": "http://example.org/fhir/Organization/o", "resource": { "resourceType": "Organization", "id": "o" } }] });
    let task = json!({ "resourceType": "Task", "contained": [{ "resourceType": "Device", "id": "d" }],
        "owner": { "reference": "#d" }, "focus": { "reference": "urn:uuid:1" }, "for": { "reference": "Patient/p" },
        "requester": { "reference": "Organization/o/_history/3" }, "encounter": { "reference": "Encounter/e" } });
    let services = Known(json!({ "resourceType": "Patient", "id": "p" }));
    let types = Types::r4();
    let context = Context::new(&task, NOW).in_bundle(Node::resource(&bundle, types)).with_services(&services);
    let holds = |source: &str, context: &Context<'_>| {
        let expression = Expression::compile(source).unwrap();
        expression.test(context, Item::resource(&task, types)).unwrap()
    };
    assert_eq!(holds("owner.resolve() is Device", &context), Some(true));
    assert_eq!(holds("focus.resolve() is Practitioner", &context), Some(true));
    assert_eq!(holds("requester.resolve() is Organization", &context), Some(true));
    assert_eq!(holds("for.resolve().id = 'p'", &context), Some(true));
    assert_eq!(holds("encounter.resolve() is Encounter", &context), None);
    assert_eq!(holds("encounter.where(resolve() is Encounter).exists()", &context.with_typed_references()), Some(true));
}

#[test]
fn membership_asks_the_terminology() {
    let task = json!({ "resourceType": "Task", "code": { "coding": [{ "system": "s", "code": "x" }, { "system": "s", "code": "c" }] } });
    let services = Known(Value::Null);
    let context = Context::new(&task, NOW).with_services(&services);
    let test =
        |source: &str| Expression::compile(source).unwrap().test(&context, Item::resource(&task, Types::r4())).unwrap();
    assert_eq!(test("code.memberOf('http://example.org/vs')"), Some(true));
    assert_eq!(test("code.coding.first().memberOf('http://example.org/vs')"), Some(false));
    assert_eq!(test("code.memberOf('http://example.org/unknown')"), None);
    assert_eq!(test("code.coding.first().subsumes(%resource.code.coding.last())"), Some(false));
    assert_eq!(test("code.coding.last().subsumedBy(%resource.code.coding.last())"), Some(true));
}

#[test]
fn narrative_is_checked() {
    let holds = |div: &str| {
        let patient = json!({ "resourceType": "Patient", "text": { "status": "generated", "div": div } });
        evaluate("text.div.htmlChecks()", &patient).unwrap() == ["true"]
    };
    let open = "<div xmlns=\"http://www.w3.org/1999/xhtml\">";
    assert!(holds(&format!("{open}<p class=\"x\">Text &amp; <b>bold</b></p></div>")));
    assert!(holds(&format!("{open}<img src=\"#a\"/></div>")));
    for wrong in ["  ", "<script>x</script>", "<p onclick=\"x\">y</p>", "<p>y", "<form>y</form>"] {
        assert!(!holds(&format!("{open}{wrong}</div>")), "{wrong}");
    }
    assert!(!holds("<div>no namespace</div>"));
}

#[test]
fn uncertain_dates_leave_conditions_open_and_invariants_hold() {
    let patient = json!({ "resourceType": "Patient", "birthDate": "1974", "telecom": [{ "period": { "start": "2026-05", "end": "2026-05-01" } }] });
    assert_eq!(evaluate("birthDate < @1974-06-01", &patient).unwrap(), [""; 0]);
    assert_eq!(evaluate("birthDate < @1975-06-01", &patient).unwrap(), ["true"]);
    assert_eq!(evaluate("birthDate < today() - 18 years", &patient).unwrap(), ["true"]);
    let expression = Expression::compile("start.hasValue().not() or end.hasValue().not() or (start <= end)").unwrap();
    let context = Context::new(&patient, NOW);
    let period = Node::new(&patient["telecom"][0]["period"], None, Types::r4().get("Period"));
    assert_eq!(expression.test(&context, Item::Node(period)), Ok(None));
    assert_eq!(expression.holds(&context, Item::Node(period)), Ok(true));
}
