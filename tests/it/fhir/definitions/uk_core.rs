//! UK Core as committed against the reference data: every differential element of `facts.tsv`, both ways.

use std::collections::{BTreeMap, BTreeSet};

use kith::fhir::definitions::{
    Definitions, DiscriminatorKind, ElementDefinition, Expanded, Max, Slicing, SlicingRules, Strength,
    StructureDefinition,
};
use serde_json::Value;

use crate::support::shared_data;

type Row = BTreeMap<String, String>;

fn rows() -> Option<Vec<Row>> {
    let text = std::fs::read_to_string(shared_data()?.join("uk-core/facts.tsv")).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| {
        names.iter().zip(line.split('\t')).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect()
    };
    Some(lines.map(row).collect())
}

fn joined<'a>(values: impl Iterator<Item = &'a str>) -> String {
    values.collect::<Vec<_>>().join("|")
}

fn slicing(slicing: &Slicing) -> String {
    let discriminators = slicing.discriminators.iter().map(|discriminator| {
        let kind = match discriminator.kind {
            DiscriminatorKind::Value => "value",
            DiscriminatorKind::Exists => "exists",
            DiscriminatorKind::Pattern => "pattern",
            DiscriminatorKind::Type => "type",
            DiscriminatorKind::Profile => "profile",
        };
        format!("{kind}:{}", discriminator.path)
    });
    let rules = match slicing.rules {
        SlicingRules::Closed => "closed",
        SlicingRules::Open => "open",
        SlicingRules::OpenAtEnd => "openAtEnd",
    };
    format!("{} rules={rules}", discriminators.collect::<Vec<_>>().join(","))
}

fn flag(value: Option<bool>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Our element in the columns of the table.
fn ours(structure: &StructureDefinition, element: &ElementDefinition) -> Row {
    let strength = |strength: Strength| match strength {
        Strength::Required => "required",
        Strength::Extensible => "extensible",
        Strength::Preferred => "preferred",
        Strength::Example => "example",
    };
    let max = element.max.map(|max| match max {
        Max::Count(count) => count.to_string(),
        Max::Unbounded => "*".to_owned(),
    });
    let binding = element.binding.as_ref();
    let fields = [
        ("url", structure.url.clone()),
        ("version", structure.version.clone().unwrap_or_default()),
        ("status", structure.status.clone()),
        ("resourceType", structure.type_.clone()),
        ("baseDefinition", structure.base.clone().unwrap_or_default()),
        ("path", element.path.clone()),
        ("id", element.id.clone()),
        ("sliceName", element.slice_name.clone().unwrap_or_default()),
        ("min", element.min.map(|min| min.to_string()).unwrap_or_default()),
        ("max", max.unwrap_or_default()),
        ("types", joined(element.types.iter().map(|kind| kind.code.as_str()))),
        ("targetProfiles", joined(element.types.iter().flat_map(|kind| &kind.target_profiles).map(String::as_str))),
        ("extensionOrTypeProfiles", joined(element.types.iter().flat_map(|kind| &kind.profiles).map(String::as_str))),
        ("bindingStrength", binding.map(|binding| strength(binding.strength).to_owned()).unwrap_or_default()),
        ("bindingValueSet", binding.and_then(|binding| binding.value_set.clone()).unwrap_or_default()),
        ("fixedOrPattern", element.fixed.as_deref().map(plain).unwrap_or_default()),
        ("mustSupport", flag(element.must_support)),
        ("isModifier", flag(element.is_modifier)),
        ("slicing", element.slicing.as_ref().map(slicing).unwrap_or_default()),
        ("constraintDetail", constraints(element)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn constraints(element: &ElementDefinition) -> String {
    let texts = element.constraints.iter().map(|constraint| {
        let severity = if constraint.is_error { "error" } else { "warning" };
        format!("{}({severity}): {}", constraint.key, constraint.expression.as_deref().unwrap_or_default())
    });
    texts.collect::<Vec<_>>().join(" || ")
}

/// The table's row in the same form: of a fixed value only the value, of a slicing the order only where it is ordered.
fn expected(row: &Row, columns: &Row) -> Row {
    let mut row: Row =
        row.iter().filter(|(name, _)| columns.contains_key(*name)).map(|(a, b)| (a.clone(), b.clone())).collect();
    if let Some(fixed) = row.get_mut("fixedOrPattern") {
        *fixed = fixed.split_once('=').map(|(_, value)| value.to_owned()).unwrap_or_default();
    }
    if let Some(slicing) = row.get_mut("slicing") {
        *slicing = slicing.replace(" ordered=false", "");
    }
    row
}

#[test]
fn every_differential_element_is_the_official_one() {
    let Some(rows) = rows() else { return };
    let definitions = Definitions::embedded();
    let mut differences = Vec::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        let url = &row["url"];
        seen.insert((url.clone(), row["id"].clone()));
        let structure = definitions.structure(url).unwrap_or_else(|| panic!("{url} is missing"));
        let Some(element) = structure.differential.iter().find(|element| element.id == row["id"]) else {
            differences.push(format!("{url} {}: missing", row["id"]));
            continue;
        };
        let ours = ours(&structure, element);
        let expected = expected(row, &ours);
        let changed = ours.iter().filter(|(name, value)| expected[*name] != **value);
        differences.extend(
            changed.map(|(name, value)| format!("{} {name}: ours {value}, official {}", row["id"], expected[name])),
        );
    }
    let of_uk_core = definitions.canonicals("StructureDefinition").filter(|(package, _)| *package == "uk-core");
    for (_, canonical) in of_uk_core {
        let structure = definitions.structure(&canonical).unwrap();
        let extra = structure
            .differential
            .iter()
            .filter(|element| !seen.contains(&(structure.url.clone(), element.id.clone())));
        differences.extend(extra.map(|element| format!("{canonical} {}: only ours", element.id)));
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert_eq!(rows.len(), 1113);
}

#[test]
fn the_general_profile_of_a_type_is_known() {
    let definitions = Definitions::embedded();
    let of = |kind: &str| definitions.profiles_for_type(kind).to_vec();
    for kind in ["Patient", "Task", "ServiceRequest", "Observation", "DiagnosticReport", "Device"] {
        assert_eq!(of(kind), [format!("https://fhir.hl7.org.uk/StructureDefinition/UKCore-{kind}")]);
    }
    assert!(of("Goal").is_empty());
}

#[test]
fn the_package_is_complete() {
    let definitions = Definitions::embedded();
    let count = |kind: &str| definitions.canonicals(kind).filter(|(package, _)| *package == "uk-core").count();
    assert_eq!(count("StructureDefinition"), 153);
    assert_eq!(count("ValueSet"), 134);
    assert_eq!(count("CodeSystem"), 88);
    let ethnic = definitions.value_set("https://fhir.hl7.org.uk/ValueSet/UKCore-EthnicCategory").unwrap();
    assert!(!ethnic.compose.include.is_empty());
}

fn expanded(codes: &[Expanded]) -> usize {
    codes.iter().map(|code| usize::from(code.code.is_some()) + expanded(&code.contains)).sum()
}

#[test]
fn published_expansions_are_kept() {
    let Some(data) = shared_data() else { return };
    let text = std::fs::read_to_string(data.join("uk-core/valuesets.tsv")).unwrap();
    let definitions = Definitions::embedded();
    for row in text.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let value_set = definitions.value_set(columns[1]).unwrap_or_else(|| panic!("{} is missing", columns[1]));
        assert_eq!(value_set.version.as_deref().unwrap_or_default(), columns[2], "{}", columns[1]);
        let count = value_set.expansion.as_deref().map(expanded).unwrap_or_default();
        assert_eq!(count, columns[5].parse().unwrap_or(0), "{}", columns[1]);
    }
}
