//! Supplements: code systems that only add texts and properties to the codes of another one
//! (<https://hl7.org/fhir/R4/codesystem.html#supplements>). Called by the operations for the supplements that a request names.

use std::collections::HashMap;

use crate::fhir::definitions::{CodeSystem, Concept, Content};

/// A code system with what supplements add to its codes; codes that it has not are passed over.
#[must_use]
pub fn supplemented(base: &CodeSystem, supplements: &[CodeSystem]) -> CodeSystem {
    let mut added: HashMap<&str, Vec<&Concept>> = HashMap::new();
    for supplement in supplements {
        collect(&supplement.concepts, &mut added);
    }
    let mut whole = base.clone();
    add(&mut whole.concepts, &added);
    whole
}

/// True for a code system that is a supplement and says of what.
#[must_use]
pub fn is_supplement(definition: &CodeSystem) -> bool {
    definition.content == Content::Supplement && definition.supplements.is_some()
}

fn collect<'c>(concepts: &'c [Concept], added: &mut HashMap<&'c str, Vec<&'c Concept>>) {
    for concept in concepts {
        added.entry(&concept.code).or_default().push(concept);
        collect(&concept.concepts, added);
    }
}

fn add(concepts: &mut [Concept], added: &HashMap<&str, Vec<&Concept>>) {
    for concept in concepts {
        for supplement in added.get(concept.code.as_str()).into_iter().flatten() {
            concept.designations.extend(supplement.designations.iter().cloned());
            concept.properties = concept.properties.iter().chain(supplement.properties.iter()).cloned().collect();
        }
        add(&mut concept.concepts, added);
    }
}
