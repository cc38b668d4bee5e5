//! Every search parameter of every resource type, on the official examples: a value found in an example finds that example.
//! `KITH_R4_EXAMPLES` names the folder of the unpacked package hl7.fhir.r4.examples 4.0.1.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kith::fhir::temporal::format_instant;
use kith::search::extract::Extractor;
use kith::search::index::{ComponentRow, IndexRows};
use kith::search::kinds::Kind;
use kith::search::parameters::Parameter;
use kith::search::query::Handling;
use kith::search::query::value::escape;
use serde_json::Value;

use super::world::{ids, store_all};
use super::{BASE, parsed, registry};
use crate::support::both;

/// Larger examples are vocabulary, which has few parameters of its own.
const LARGEST: u64 = 60_000;

/// So many examples of a type are looked at.
const MOST: usize = 60;

fn examples(folder: &Path) -> Vec<Value> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let small = |path: &PathBuf| std::fs::metadata(path).unwrap().len() <= LARGEST;
    let all = paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")).filter(small);
    let mut found = Vec::new();
    for path in all {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = count.entry(name.split('-').next().unwrap_or_default().to_owned()).or_default();
        *number += 1;
        if *number <= MOST {
            found.extend(serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).ok());
        }
    }
    found.retain(|value| value["resourceType"].is_string() && value["id"].is_string());
    found
}

/// A value of a query, if it can stand in the unescaped query strings of these tests.
fn usable(value: String) -> Option<String> {
    (!value.is_empty() && !value.contains(['&', '\u{2026}', '+'])).then_some(value)
}

fn coded(system: &str, code: &str) -> String {
    format!("{}|{}", escape(system), escape(code))
}

fn instant(low: i64, high: i64) -> String {
    if low == i64::MIN { format!("lt{}", format_instant(high)) } else { format!("ge{}", format_instant(low)) }
}

fn number(low: f64, high: f64) -> String {
    if low > f64::MIN { format!("ge{low}") } else { format!("le{high}") }
}

/// A reference to a resource here or elsewhere; fragments and made-up names are no values to search for.
fn target(kind: &str, id: &str) -> Option<String> {
    if id.contains(':') {
        return Some(escape(id));
    }
    (!kind.is_empty()).then(|| format!("{kind}/{}", escape(id)))
}

/// What to search for to find a resource with these rows by a parameter.
fn value(parameter: &Parameter, rows: &IndexRows, resource: &Value) -> Option<String> {
    let is = |code: &str| code == parameter.code();
    match parameter.kind {
        Kind::Token => rows.tokens.iter().find(|row| is(&row.parameter)).map(|row| coded(&row.system, &row.code)),
        Kind::String => rows.strings.iter().find(|row| is(&row.parameter)).map(|row| escape(&row.folded)),
        Kind::Date => rows.dates.iter().find(|row| is(&row.parameter)).map(|row| instant(row.low, row.high)),
        Kind::Number => rows.numbers.iter().find(|row| is(&row.parameter)).map(|row| number(row.low, row.high)),
        Kind::Quantity => rows
            .quantities
            .iter()
            .find(|row| is(&row.parameter))
            .map(|row| format!("{}|{}", number(row.low, row.high), coded(&row.system, &row.code))),
        Kind::Reference => {
            let mut own = rows.references.iter().filter(|row| is(&row.parameter));
            own.find_map(|row| target(&row.target_type, &row.target_id))
        }
        Kind::Uri => rows.uris.iter().find(|row| is(&row.parameter)).map(|row| escape(&row.value)),
        Kind::Special => {
            let position = &resource["position"];
            (parameter.code() == "near" && position.is_object())
                .then(|| format!("{}|{}|1|m", position["latitude"], position["longitude"]))
        }
        Kind::Composite => {
            let first = rows.components.iter().find(|row| is(row.parameter.split('$').next().unwrap_or_default()))?;
            let part = |part: &std::sync::Arc<Parameter>| {
                let of_part = |row: &&ComponentRow| *row.parameter == *part.code() && row.ordinal == first.ordinal;
                component(part.kind, rows.components.iter().find(of_part)?)
            };
            let parts: Option<Vec<String>> = parameter.parts.iter().map(part).collect();
            parts.map(|parts| parts.join("$"))
        }
    }
    .and_then(usable)
}

fn component(kind: Kind, row: &ComponentRow) -> Option<String> {
    match kind {
        Kind::Token => Some(coded(row.system.as_ref()?, row.code.as_ref()?)),
        Kind::String => row.folded.as_deref().map(escape),
        Kind::Date => Some(instant(row.earliest?, row.latest?)),
        Kind::Number => Some(number(row.low?, row.high?)),
        Kind::Quantity => {
            Some(format!("{}|{}", number(row.low?, row.high?), coded(row.system.as_ref()?, row.code.as_ref()?)))
        }
        Kind::Reference => target(row.target_type.as_ref()?, row.target_id.as_ref()?),
        Kind::Uri => row.value.as_deref().map(escape),
        Kind::Composite | Kind::Special => None,
    }
}

/// One example with a value for each parameter that some example has one for: the searches, and the resources they need.
fn searches(examples: &[Value]) -> (Vec<(String, String)>, Vec<Value>) {
    let (registry, extractor) = (registry(), Extractor::new(registry(), BASE));
    let mut found: BTreeMap<(String, String), (String, usize)> = BTreeMap::new();
    for (at, example) in examples.iter().enumerate() {
        let resource_type = example["resourceType"].as_str().unwrap();
        let Some(parameters) = registry.of_type(resource_type) else { continue };
        let rows = extractor.extract(example);
        for parameter in parameters.iter() {
            let key = (resource_type.to_owned(), parameter.code().to_owned());
            if !found.contains_key(&key)
                && let Some(value) = value(parameter, &rows, example)
            {
                found.insert(key, (value, at));
            }
        }
    }
    let mut needed: Vec<usize> = found.values().map(|(_, at)| *at).collect();
    needed.sort_unstable();
    needed.dedup();
    let searches = found.into_iter().map(|((resource_type, code), (value, at))| {
        let id = examples[at]["id"].as_str().unwrap().to_owned();
        (format!("{resource_type}?{code}={value}&{code}:missing=false&_id={id}"), id)
    });
    (searches.collect(), needed.into_iter().map(|at| examples[at].clone()).collect())
}

both! {
    async fn a_value_of_an_official_example_finds_the_example(database) {
        let Some(folder) = std::env::var_os("KITH_R4_EXAMPLES").map(PathBuf::from).filter(|folder| folder.is_dir()) else {
            eprintln!("SKIPPED: set KITH_R4_EXAMPLES to the folder of the package hl7.fhir.r4.examples");
            return;
        };
        let (searches, resources) = searches(&examples(&folder));
        assert!(searches.len() > 1_200, "{} parameters have values", searches.len());
        let store = database.open().await;
        store_all(&store, &resources).await;
        let mut missed = Vec::new();
        for (search, id) in &searches {
            let found = if parsed(search, Handling::Strict).is_ok() { ids(&store, search, 5).await } else { Vec::new() };
            if found != [id.clone()] {
                missed.push(format!("{search}: {found:?}"));
            }
        }
        assert!(missed.is_empty(), "{} of {}: {missed:#?}", missed.len(), searches.len());
        eprintln!("{} parameters of {} resources", searches.len(), resources.len());
        store.close().await;
    }
}
