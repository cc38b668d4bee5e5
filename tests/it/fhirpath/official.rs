//! Every invariant and every search parameter expression of R4 core, as embedded: all compile, and the invariants name
//! elements that exist.

use std::collections::BTreeSet;
use std::sync::Arc;

use kith::fhir::definitions::{Definitions, StructureDefinition};
use kith::fhir::types::{TypeIndex, Types};
use kith::fhirpath::Expression;

/// Canonical, element path, key and expression of every invariant in the embedded StructureDefinitions.
fn invariants(definitions: &Definitions) -> Vec<(Arc<StructureDefinition>, String, String, String)> {
    let mut found = Vec::new();
    for (_, canonical) in definitions.canonicals("StructureDefinition") {
        let structure = definitions.structure(&canonical).unwrap();
        for element in &structure.differential {
            for constraint in &element.constraints {
                if let Some(expression) = &constraint.expression {
                    found.push((structure.clone(), element.path.clone(), constraint.key.clone(), expression.clone()));
                }
            }
        }
    }
    found
}

#[test]
fn every_official_expression_compiles() {
    let definitions = Definitions::embedded();
    let invariants = invariants(&definitions);
    let mut expressions: BTreeSet<&str> = invariants.iter().map(|(_, _, _, expression)| expression.as_str()).collect();
    let invariant_count = expressions.len();
    let parameters: Vec<_> = definitions
        .canonicals("SearchParameter")
        .filter_map(|(_, canonical)| definitions.search_parameter(&canonical))
        .collect();
    expressions.extend(parameters.iter().filter_map(|parameter| parameter.expression.as_deref()));
    eprintln!("{invariant_count} distinct invariants, {} distinct expressions", expressions.len());
    let wrong: Vec<String> = expressions
        .iter()
        .filter_map(|source| Expression::compile(source).err().map(|error| format!("{source}\n    {error}")))
        .collect();
    assert!(invariant_count >= 199, "{invariant_count} distinct invariants");
    assert!(expressions.len() > 1200, "{} distinct expressions", expressions.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The type that an element path of a definition names, where the table has it.
fn element_type(path: &str, types: &Types) -> Option<TypeIndex> {
    let mut parts = path.split('.');
    let mut found = types.get(parts.next()?)?;
    for part in parts {
        found = types.child(found, part)?.1;
    }
    Some(found)
}

#[test]
fn official_invariants_name_elements_that_exist() {
    let (definitions, types) = (Definitions::embedded(), Types::r4());
    let mut wrong = BTreeSet::new();
    let mut checked = 0;
    for (structure, path, key, source) in invariants(&definitions) {
        let (Some(root), Ok(expression)) = (element_type(&path, types), Expression::compile(&source)) else { continue };
        checked += 1;
        if let Err(error) = expression.check(root) {
            wrong.insert(format!("{key} on {path} ({}): {}", structure.name, error.text));
        }
    }
    assert!(checked > 200, "{checked} invariants checked");
    let published_wrongly = [
        "cid-0 on ChargeItemDefinition (ChargeItemDefinition): ChargeItemDefinition has no element `name`",
        "inv-1 on Extension (substanceExposureRisk): Extension has no element `substanceExposureRisk`",
    ];
    assert_eq!(wrong.into_iter().collect::<Vec<_>>(), published_wrongly);
}
