//! The arena of schemas: a slot per type and per profile, filled at first use and kept. Threads share it; an index stays
//! valid as long as the validator.

use std::hash::BuildHasherDefault;
use std::sync::{Arc, OnceLock};

use crate::fhir::definitions::{Changed, Definitions, StructureKind};
use crate::fhir::hash::TextMap;
use crate::fhir::issue::Issue;
use crate::fhir::types::{TypeIndex, Types};

use super::compile;
use super::schema::{ProfileIndex, ProfileSchema, TypeSchema};

/// All schemas of one registry of definitions.
#[derive(Debug)]
pub struct Schemas {
    definitions: Arc<Definitions>,
    types: Vec<OnceLock<Result<Arc<TypeSchema>, Issue>>>,
    profiles: Vec<OnceLock<Result<Arc<ProfileSchema>, Issue>>>,
    canonicals: Vec<String>,
    by_canonical: TextMap<String, ProfileIndex>,
    by_type: Vec<OnceLock<Vec<ProfileIndex>>>,
}

impl Schemas {
    /// Empty slots for everything that the definitions hold.
    #[must_use]
    pub fn new(definitions: Arc<Definitions>) -> Self {
        let count = Types::r4().all().count();
        let mut canonicals = Vec::new();
        let mut by_canonical = TextMap::with_hasher(BuildHasherDefault::default());
        for ((canonical, url, is_preferred), index) in definitions.structures().zip((0..).map(ProfileIndex)) {
            if is_preferred {
                by_canonical.insert(url.to_owned(), index);
            }
            by_canonical.insert(canonical.clone(), index);
            canonicals.push(canonical);
        }
        Self {
            definitions,
            types: (0..count).map(|_| OnceLock::new()).collect(),
            profiles: canonicals.iter().map(|_| OnceLock::new()).collect(),
            canonicals,
            by_canonical,
            by_type: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The schemas of `definitions`, with those of `earlier` that are still true.
    #[must_use]
    pub fn succeeding(earlier: &Self, definitions: Arc<Definitions>, changed: &Changed) -> Self {
        let next = Self::new(definitions);
        for (((_, type_), new), old) in Types::r4().all().zip(&next.types).zip(&earlier.types) {
            let owner = type_.name.split('.').next().unwrap_or_default();
            if let Some(Ok(schema)) = old.get()
                && !changed.touches(&format!("{}{owner}", compile::facets::HL7))
            {
                let _ = new.set(Ok(Arc::clone(schema)));
            }
        }
        let both = next.profiles.iter().zip(&earlier.profiles).zip(next.canonicals.iter().zip(&earlier.canonicals));
        for ((new, old), (canonical, before)) in both {
            if let Some(Ok(schema)) = old.get()
                && canonical == before
                && !changed.touches(canonical)
            {
                let _ = new.set(Ok(Arc::clone(schema)));
            }
        }
        next
    }

    /// The definitions that are compiled.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The schema of a base type.
    pub fn type_(&self, index: TypeIndex) -> Result<&TypeSchema, &Issue> {
        let compile = || compile::types::compile(&self.definitions, index).map(Arc::new);
        self.types[index.0 as usize].get_or_init(compile).as_deref()
    }

    /// The schema of a profile.
    pub fn profile(&self, index: ProfileIndex) -> Result<&ProfileSchema, &Issue> {
        let compile = || compile::profile::compile(self, index).map(Arc::new);
        self.profiles[index.0 as usize].get_or_init(compile).as_deref()
    }

    /// The place of a profile, extension or base type by canonical (`url` or `url|version`).
    #[must_use]
    pub fn profile_index(&self, canonical: &str) -> Option<ProfileIndex> {
        if let Some(index) = self.by_canonical.get(canonical) {
            return Some(*index);
        }
        let structure = self.definitions.structure(canonical)?;
        self.by_canonical.get(&structure.canonical()).copied()
    }

    /// Why a resource cannot declare this definition as its profile, whatever it holds; none where it can.
    #[must_use]
    pub fn refusal(&self, index: ProfileIndex) -> Option<&'static str> {
        let structure = self.definitions.structure(self.canonical(index)?)?;
        match structure.kind {
            StructureKind::Logical => Some("is a logical model, of which no resource is an instance"),
            _ if structure.is_extension() => Some("defines an extension, not a resource"),
            _ if structure.abstract_ => Some("is abstract: a resource declares a profile that is derived from it"),
            // The type counts: some profiles of resources state another kind.
            _ if !Types::r4().is_resource_type(&structure.type_) => Some("is about a datatype, not a resource"),
            _ => None,
        }
    }

    /// The canonical (`url|version`) of a profile.
    #[must_use]
    pub fn canonical(&self, index: ProfileIndex) -> Option<&str> {
        self.canonicals.get(index.0 as usize).map(String::as_str)
    }

    /// The schema of an extension by its url; none where its definition is not loaded.
    #[must_use]
    pub fn extension(&self, url: &str) -> Option<Result<&ProfileSchema, &Issue>> {
        let index = self.by_canonical.get(url)?;
        let schema = self.profile(*index);
        schema.map_or_else(|issue| Some(Err(issue)), |schema| (schema.type_name == "Extension").then_some(Ok(schema)))
    }

    /// The profiles that apply to every resource of a type.
    #[must_use]
    pub fn by_type(&self, index: TypeIndex) -> &[ProfileIndex] {
        self.by_type[index.0 as usize].get_or_init(|| {
            let name = &Types::r4().definition(index).name;
            let canonicals = self.definitions.profiles_for_type(name);
            canonicals.iter().filter_map(|canonical| self.profile_index(canonical)).collect()
        })
    }

    /// Compiles everything and returns what does not compile.
    #[must_use]
    pub fn compile_all(&self) -> Vec<Issue> {
        let types = Types::r4().all().filter_map(|(index, _)| self.type_(index).err());
        let is_logical = |index: &ProfileIndex| {
            let structure = self.canonical(*index).and_then(|canonical| self.definitions.structure(canonical));
            structure.is_some_and(|structure| structure.kind == StructureKind::Logical)
        };
        let profiles = (0..).map(ProfileIndex).take(self.profiles.len()).filter(|index| !is_logical(index));
        let profiles = profiles.filter_map(|index| self.profile(index).err());
        types.chain(profiles).cloned().collect()
    }
}
