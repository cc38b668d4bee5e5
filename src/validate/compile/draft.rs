//! The differentials of a profile and of those it is derived from, merged into one tree of drafts by element and slice.

use crate::fhir::definitions::{ElementDefinition, Slicing, StructureDefinition};
use crate::fhir::issue::Issue;
use crate::fhir::types::{TypeIndex, Types};

use super::{facets, failure};

/// The most elements of one differential; published ones have up to about 600.
const MOST_ELEMENTS: usize = 5_000;

/// One element or slice while the tree grows.
#[derive(Debug, Default)]
pub struct Draft {
    /// Id in the profile.
    pub id: String,
    /// Element name without `[x]`.
    pub name: String,
    /// What the differentials say, later ones over earlier ones.
    pub element: ElementDefinition,
    /// Types the value may have.
    pub types: Vec<TypeIndex>,
    /// Constrained children by name.
    pub children: Vec<(String, usize)>,
    /// Slices by name.
    pub slices: Vec<(String, usize)>,
    /// How they are told apart, where a differential says.
    pub slicing: Option<Slicing>,
    /// True for the choice elements.
    pub is_choice: bool,
    /// The element that a slice slices.
    pub sliced: Option<usize>,
    /// The element that holds it.
    pub parent: Option<usize>,
}

/// The tree; the root is the first.
#[derive(Debug)]
pub struct Drafts {
    /// All drafts.
    pub all: Vec<Draft>,
}

impl Drafts {
    /// A tree with its root.
    #[must_use]
    pub fn new(type_: TypeIndex) -> Self {
        let name = Types::r4().definition(type_).name.to_string();
        Self { all: vec![Draft { id: name.clone(), name, types: vec![type_], ..Draft::default() }] }
    }

    /// Adds the differential of one profile of the chain.
    pub fn add(&mut self, structure: &StructureDefinition) -> Result<(), Issue> {
        if structure.differential.len() > MOST_ELEMENTS {
            let reason = format!("a differential may have at most {MOST_ELEMENTS} elements");
            return Err(failure(&structure.url, &structure.type_, &reason));
        }
        for element in &structure.differential {
            let fail = |reason: &str| failure(&structure.url, &element.id, reason);
            let Some(at) = self.locate(&element.id, element).map_err(|reason| fail(&reason))? else { continue };
            self.merge(at, element).map_err(|reason| fail(&reason))?;
        }
        Ok(())
    }

    /// The draft for an element id such as `Patient.identifier:nhsNumber.value`, made where there is none. None below the
    /// value of a primitive, which has no elements of its own: what profiles say there is without effect.
    fn locate(&mut self, id: &str, element: &ElementDefinition) -> Result<Option<usize>, String> {
        let is_id = id.split('.').count() == element.path.split('.').count();
        let mut at = 0;
        for segment in if is_id { id } else { &element.path }.split('.').skip(1) {
            let (name, slice) = match segment.split_once(':') {
                Some((name, slice)) => (name, Some(slice)),
                None => (segment, None),
            };
            let types = Types::r4();
            if name == "value" && self.all[at].types.iter().all(|index| types.primitive(*index).is_some()) {
                return Ok(None);
            }
            at = self.child(at, name)?;
            if let Some(slice) = slice {
                at = self.slice_path(at, slice);
            }
        }
        if !is_id && let Some(slice) = &element.slice_name {
            at = self.slice_path(at, slice);
        }
        Ok(Some(at))
    }

    /// A slice by name; `a/b` is the slice `a/b` within the slice `a`, where there is such a slice.
    fn slice_path(&mut self, at: usize, name: &str) -> usize {
        match name.rsplit_once('/') {
            Some((outer, _)) if self.all[at].slices.iter().any(|(known, _)| known == outer) => {
                let outer = self.slice(at, outer);
                self.slice(outer, name)
            }
            _ => self.slice(at, name),
        }
    }

    fn slice(&mut self, at: usize, name: &str) -> usize {
        if let Some((_, found)) = self.all[at].slices.iter().find(|(known, _)| known == name) {
            return *found;
        }
        let sliced = &self.all[at];
        let stem = sliced.id.split(':').next().map_or(0, str::len);
        let plain = if sliced.sliced.is_some() && stem < sliced.id.len() {
            sliced.id.rsplit_once(':').map_or(sliced.id.as_str(), |(before, _)| before)
        } else {
            sliced.id.as_str()
        };
        let by_name = sliced.is_choice.then(|| Self::choice_type(sliced, name)).flatten();
        let draft = Draft {
            id: format!("{plain}:{name}"),
            name: sliced.name.clone(),
            types: by_name.map_or_else(|| sliced.types.clone(), |type_| vec![type_]),
            is_choice: sliced.is_choice,
            sliced: Some(at),
            parent: sliced.parent,
            ..Draft::default()
        };
        let index = self.all.len();
        self.all.push(draft);
        self.all[at].slices.push((name.to_owned(), index));
        index
    }

    /// The type that a name such as `valueQuantity` gives the choice `value[x]`.
    fn choice_type(draft: &Draft, name: &str) -> Option<TypeIndex> {
        let suffix = name.strip_prefix(draft.name.as_str())?;
        let types = Types::r4();
        draft.types.iter().copied().find(|index| types.definition(*index).name.eq_ignore_ascii_case(suffix))
    }

    fn child(&mut self, at: usize, name: &str) -> Result<usize, String> {
        let plain = name.trim_end_matches("[x]");
        if let Some((_, found)) = self.all[at].children.iter().find(|(known, _)| known == plain) {
            return Ok(*found);
        }
        let types = Types::r4();
        for owner in self.all[at].types.clone() {
            let children = &types.definition(owner).children;
            if let Some(child) = children.iter().find(|child| *child.name == *plain) {
                let choices = child.choices.iter().map(|(_, type_)| *type_).collect();
                return Ok(self.new_child(at, &child.name, choices, child.is_choice));
            }
            let choice = children.iter().filter(|child| child.is_choice);
            for child in choice {
                if child.choices.iter().any(|(json, _)| **json == *plain) {
                    let stem = child.name.to_string();
                    let index = self.child(at, &stem)?;
                    return Ok(self.slice(index, plain));
                }
            }
        }
        let owners: Vec<&str> = self.all[at].types.iter().map(|index| &*types.definition(*index).name).collect();
        Err(format!("{} has no element {plain}", owners.join(", ")))
    }

    fn new_child(&mut self, at: usize, name: &str, types: Vec<TypeIndex>, is_choice: bool) -> usize {
        let suffix = if is_choice { "[x]" } else { "" };
        let id = format!("{}.{name}{suffix}", self.all[at].id);
        let index = self.all.len();
        self.all.push(Draft { id, name: name.to_owned(), types, is_choice, parent: Some(at), ..Draft::default() });
        self.all[at].children.push((name.to_owned(), index));
        index
    }

    fn merge(&mut self, at: usize, later: &ElementDefinition) -> Result<(), String> {
        let unknown = later.types.iter().find(|type_| {
            Types::r4().get(&type_.code).is_none() && !type_.code.starts_with("http://hl7.org/fhirpath/")
        });
        if let Some(type_) = unknown {
            return Err(format!("type {} is not known", type_.code));
        }
        let draft = &mut self.all[at];
        let known = &mut draft.element;
        macro_rules! take {
            ($($field:ident),*) => { $(if later.$field.is_some() { known.$field.clone_from(&later.$field); })* };
        }
        take!(
            slice_name,
            min,
            max,
            fixed,
            pattern,
            min_value,
            max_value,
            max_length,
            must_support,
            is_modifier,
            must_have_value,
            binding
        );
        for constraint in &later.constraints {
            if known.constraints.iter().all(|earlier| earlier.key != constraint.key) {
                known.constraints.push(constraint.clone());
            }
        }
        if !later.types.is_empty() {
            known.types.clone_from(&later.types);
            let narrowed = facets::type_indexes(&later.types);
            if !narrowed.is_empty() && !later.types.iter().any(|type_| is_general(&type_.code)) {
                draft.types = narrowed;
            }
        }
        if later.slicing.is_some() {
            draft.slicing.clone_from(&later.slicing);
        }
        Ok(())
    }
}

/// Types that stand for the content of the element itself, so that they narrow nothing.
fn is_general(code: &str) -> bool {
    matches!(code, "BackboneElement" | "Element")
}
