//! HL7's public FHIRPath suite for R4. `conformance/fhirpath/expected-failures.txt` lists what does not apply and why; a
//! test that fails without being listed, and a listed one that passes, fail this test.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use kith::fhir::codec::{Limits, xml};
use kith::fhir::types::Types;
use kith::fhirpath::{Context, Expression, Item};
use serde_json::Value;

use super::suite_reader::{Case, Output, read};

/// 2026-11-21T10:00:00Z.
const NOW: i64 = 1_795_255_200_000_000;

#[test]
fn the_public_suite_passes_except_for_what_is_argued() {
    let Some(shared) = crate::support::shared_data() else { return };
    let folder = shared.join("fhir-test-cases/r4");
    let xml = std::fs::read_to_string(folder.join("fhirpath/tests-fhir-r4.xml")).unwrap();
    let mut expected = expected_failures();
    let mut inputs = Inputs { folder: folder.join("examples"), known: HashMap::new() };
    let cases = read(&xml);
    let mut wrong = Vec::new();
    for case in &cases {
        let key = format!("{}/{}", case.group, case.name);
        let input = inputs.get(case.input.as_deref().unwrap_or("patient-example.xml"));
        match (run(case, &input), expected.remove(&key)) {
            (Err(text), None) => wrong.push(format!("{key}: {}\n    {text}", case.expression.trim())),
            (Ok(()), Some(_)) => wrong.push(format!("{key}: passes, and is listed as a failure")),
            _ => {}
        }
    }
    wrong.extend(expected.keys().map(|key| format!("{key}: listed, and not in the suite")));
    eprintln!("FHIRPath suite: {} of {} tests as expected", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/fhirpath")
}

fn expected_failures() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(conformance().join("expected-failures.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (key, reason) = line.split_once(": ").unwrap_or_else(|| panic!("no reason: {line}"));
            (key.to_owned(), reason.to_owned())
        })
        .collect()
}

/// The input resources, as JSON: our own where the public set has none.
struct Inputs {
    folder: PathBuf,
    known: HashMap<String, Value>,
}

impl Inputs {
    fn get(&mut self, name: &str) -> Value {
        if let Some(value) = self.known.get(name) {
            return value.clone();
        }
        let file = format!("{}.json", name.rsplit_once('.').unwrap().0);
        let own = conformance().join("inputs").join(&file);
        let candidates = [own, self.folder.join(name), self.folder.join(&file)];
        let path = candidates.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("there is no input {name}"));
        let bytes = std::fs::read(path).unwrap();
        let value = if path.extension().is_some_and(|extension| extension == "xml") {
            xml::parse(&bytes, &Limits::default(), Types::r4()).unwrap()
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        self.known.insert(name.to_owned(), value.clone());
        value
    }
}

fn run(case: &Case, input: &Value) -> Result<(), String> {
    let expression = match Expression::compile(&case.expression) {
        Ok(expression) => expression,
        Err(_) if case.invalid.is_some() => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let root = Types::r4().get(input["resourceType"].as_str().unwrap()).unwrap();
    match (expression.check(root), &case.invalid) {
        (Err(_), Some(invalid)) if invalid == "semantic" => return Ok(()),
        (Err(error), None) => return Err(format!("static check: {error}")),
        _ => {}
    }
    let mut context = Context::new(input, NOW);
    context.strict_as = true;
    let focus = Item::resource(input, Types::r4());
    if case.predicate {
        let holds =
            expression.evaluate(&context, focus).map(|items| !items.is_empty()).map_err(|error| error.to_string())?;
        return if holds.to_string() == case.outputs[0].text { Ok(()) } else { Err(format!("{holds}")) };
    }
    match (expression.evaluate(&context, focus), &case.invalid) {
        (Err(_), Some(_)) => Ok(()),
        (Err(error), None) => Err(error.to_string()),
        (Ok(items), Some(_)) => Err(format!("an error is expected and not {items:?}")),
        (Ok(items), None) => compare(case, &items),
    }
}

fn compare(case: &Case, items: &[Item<'_>]) -> Result<(), String> {
    let mut outputs: Vec<&Output> = case.outputs.iter().collect();
    let all = || items.iter().map(describe).collect::<Vec<_>>().join(", ");
    if outputs.len() != items.len() {
        return Err(format!("{} items expected, found {}: {}", outputs.len(), items.len(), all()));
    }
    for item in items {
        let candidates = if case.ordered { 1 } else { outputs.len() };
        let Some(at) = outputs.iter().take(candidates).position(|output| same(output, item)) else {
            return Err(format!("{:?} expected, found {}", outputs[0], all()));
        };
        outputs.remove(at);
    }
    Ok(())
}

fn type_name(item: &Item<'_>) -> String {
    match item {
        Item::Node(node) => {
            node.type_index().map_or("unknown", |type_| &*Types::r4().definition(type_).name).to_owned()
        }
        other => other.kind().rsplit(' ').next().unwrap().to_owned(),
    }
}

fn describe(item: &Item<'_>) -> String {
    let text = item.system(Types::r4()).and_then(|value| value.to_text());
    format!("{} {}", type_name(item), text.unwrap_or_else(|| "…".to_owned()))
}

fn same(output: &Output, item: &Item<'_>) -> bool {
    if let Some(type_) = &output.type_
        && !type_.eq_ignore_ascii_case(&type_name(item))
    {
        return false;
    }
    let Some(value) = item.system(Types::r4()) else { return false };
    let text = value.to_text().unwrap_or_default();
    let wanted = output.text.strip_prefix('@').unwrap_or(&output.text);
    let wanted = if output.text.starts_with("@T") { wanted.trim_start_matches('T') } else { wanted };
    let number = matches!(value, Item::Decimal(_)) && !output.text.contains('.');
    text == wanted
        || text.trim_start_matches('-') == wanted.trim_start_matches('-') && text.contains("0.0")
        || number && text.parse::<f64>().ok() == wanted.parse::<f64>().ok()
}
