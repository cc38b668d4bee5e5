//! Generates snapshots: the differential of a StructureDefinition laid onto the snapshot of its base.
//! <https://hl7.org/fhir/R4/profiling.html#snapshot>
//!
//! The base becomes a tree (`tree`), each differential element finds its place in it, opening datatypes and making slices
//! on the way (`place`), and is merged there (`merge`). The registry calls [`generate`] and keeps the result.

mod json;
mod merge;
mod place;
mod segments;
mod tree;

use std::sync::Arc;

use super::model::{Derivation, ElementDefinition, StructureDefinition};
use crate::problem::{Kind, Problem};
use place::Placer;
use tree::Node;

/// All elements of a type, profile or extension, in order, root first; each complete in itself.
#[derive(Debug, PartialEq)]
pub struct Snapshot {
    /// What it is a snapshot of.
    pub structure: Arc<StructureDefinition>,
    /// The elements.
    pub elements: Vec<ElementDefinition>,
}

impl Snapshot {
    /// The element with this id.
    #[must_use]
    pub fn element(&self, id: &str) -> Option<&ElementDefinition> {
        self.elements.iter().find(|element| element.id == id)
    }
}

/// Where the generator gets the snapshots of bases, datatypes and profiles on types.
pub(super) trait Resolver {
    fn structure(&self, canonical: &str) -> Option<Arc<StructureDefinition>>;
    fn snapshot(&mut self, canonical: &str) -> Result<Arc<Snapshot>, Problem>;
}

/// Logical models made with newer tools derive from a root that R4 does not have and that has no elements.
const BASE_OF_LATER_VERSIONS: &str = "http://hl7.org/fhir/StructureDefinition/Base";

/// Largest snapshot that is generated; official ones have up to about 500 elements.
const MOST_ELEMENTS: usize = 20_000;

/// The most elements of one differential; published ones have up to about 600.
const MOST_DIFFERENCES: usize = 5_000;

/// Longest path of an element; official ones have up to about 10 steps.
const DEEPEST: usize = 40;

/// The most mistakes that are reported at once; an element out of place lets all below it be out of place too.
const MOST_ISSUES: usize = 20;

/// The snapshot of `structure`. Err: every differential element that fits nowhere.
pub(super) fn generate(structure: &Arc<StructureDefinition>, resolver: &mut dyn Resolver) -> Result<Snapshot, Problem> {
    let base = structure.base.as_deref().filter(|base| *base != BASE_OF_LATER_VERSIONS);
    let base = base.map(|base| resolver.snapshot(base)).transpose()?;
    let is_constraint = structure.derivation == Some(Derivation::Constraint);
    let mut root = root(structure, base.as_deref())?;
    let mut placer = Placer { structure, base: base.as_deref(), resolver, may_add: !is_constraint, created: 0 };
    if structure.differential.len() > MOST_DIFFERENCES {
        let reason = format!("a differential may have at most {MOST_DIFFERENCES} elements");
        return Err(unusable(structure, &structure.type_, &reason));
    }
    let mut issues = Vec::new();
    for (at, element) in structure.differential.iter().enumerate() {
        if let Err(problem) = placer.place(&mut root, element) {
            let place = format!("StructureDefinition.differential.element[{at}]");
            issues.extend(problem.issues().iter().cloned().map(|issue| issue.at(place.clone())));
            if issues.len() >= MOST_ISSUES {
                break;
            }
        }
    }
    if !issues.is_empty() {
        return Err(Problem::with_issues(Kind::Unprocessable, issues));
    }
    let elements = root.flatten();
    Ok(Snapshot { structure: Arc::clone(structure), elements })
}

/// The root element of a profile with what its bases say of it, without generating snapshots: profiles may name each other
/// on their elements. `None` where the profile or one of its bases is not loaded.
fn profile_root(resolver: &dyn Resolver, canonical: &str) -> Option<ElementDefinition> {
    const LONGEST_CHAIN: usize = 32;
    let mut chain = vec![resolver.structure(canonical)?];
    while let Some(base) = chain.last().and_then(|last| last.base.clone()) {
        chain.push(resolver.structure(&base)?);
        if chain.len() > LONGEST_CHAIN {
            return None;
        }
    }
    let mut root = ElementDefinition::default();
    for structure in chain.iter().rev() {
        if let Some(change) = structure.differential.first().filter(|first| !first.path.contains('.')) {
            merge::merge(&mut root, change, &structure.url);
        }
    }
    Some(root)
}

/// The tree to start from: the base, renamed where the structure is a new type.
fn root(structure: &StructureDefinition, base: Option<&Snapshot>) -> Result<Node, Problem> {
    // The type of a logical model is a url, of which element paths use the last part.
    let name = structure.type_.rsplit('/').next().unwrap_or_default();
    match base.map(|base| Node::from_elements(&base.elements)) {
        Some(Some(mut root)) => {
            root.rename(name, name);
            Ok(root)
        }
        Some(None) => Err(unusable(structure, name, "its base has no elements")),
        None => Ok(Node::leaf(ElementDefinition { id: name.to_owned(), path: name.to_owned(), ..Default::default() })),
    }
}

fn unusable(structure: &StructureDefinition, element: &str, reason: &str) -> Problem {
    let text = format!("The StructureDefinition {} cannot be used: at element {element}, {reason}.", structure.url);
    Problem::new(Kind::Unprocessable, text)
}
