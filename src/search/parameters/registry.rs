//! Look-up of search parameters by resource type and code; each type is compiled when it is first asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::compile::compile;
use super::{Parameter, Standing, Standings, admission, standing};
use crate::fhir::definitions::{Definitions, SearchParameter};
use crate::fhir::suggest;
use crate::fhir::types::Types;
use crate::terminology::Terminology;

/// Where the definitions of FHIR's own types lie.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// All search parameters of a set of definitions.
#[derive(Debug)]
pub struct Registry {
    definitions: Arc<Definitions>,
    terminology: Arc<Terminology>,
    standings: Standings,
    by_type: Arc<HashMap<String, OnceLock<OfType>>>,
}

/// The search parameters of one resource type, sorted by code.
#[derive(Debug)]
pub struct OfType {
    parameters: Vec<Arc<Parameter>>,
    generation: i64,
}

impl Registry {
    /// A registry over `definitions`; cheap, since types are compiled at first use.
    #[must_use]
    pub fn new(definitions: Arc<Definitions>) -> Self {
        Self::with(definitions, Standings::default())
    }

    /// The same where more is known of the parameters that packages and operators add.
    #[must_use]
    pub fn with(definitions: Arc<Definitions>, standings: Standings) -> Self {
        let types = definitions.resource_types();
        let by_type = Arc::new(types.iter().map(|name| (name.clone(), OnceLock::new())).collect());
        Self { terminology: Arc::new(Terminology::new(Arc::clone(&definitions))), definitions, standings, by_type }
    }

    /// The same parameters where other definitions have changed.
    #[must_use]
    pub fn succeeding(&self, definitions: Arc<Definitions>) -> Self {
        let (terminology, by_type) = (Arc::clone(&self.terminology), Arc::clone(&self.by_type));
        Self { terminology, definitions, standings: self.standings.clone(), by_type }
    }

    /// The same with the code systems and value sets that validation has.
    #[must_use]
    pub fn asking(self, terminology: Arc<Terminology>) -> Self {
        Self { terminology, ..self }
    }

    /// The parameters of a resource type; none if there is no such type.
    #[must_use]
    pub fn of_type(&self, resource_type: &str) -> Option<&OfType> {
        let cell = self.by_type.get(resource_type)?;
        Some(cell.get_or_init(|| self.compile_type(resource_type)))
    }

    /// One parameter by resource type and code.
    #[must_use]
    pub fn get(&self, resource_type: &str, code: &str) -> Option<&Arc<Parameter>> {
        self.of_type(resource_type)?.get(code)
    }

    /// True for the name of a resource type.
    #[must_use]
    pub fn is_resource_type(&self, name: &str) -> bool {
        self.by_type.contains_key(name)
    }

    /// The definitions behind the registry.
    #[must_use]
    pub fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }

    /// The code systems and value sets that the modifiers of tokens ask.
    #[must_use]
    pub fn terminology(&self) -> &Terminology {
        &self.terminology
    }

    /// The code systems that the elements of a parameter on plain codes imply: those of the value sets they are bound to.
    #[must_use]
    pub fn implied_systems(&self, parameter: &Parameter) -> Vec<String> {
        let mut systems = Vec::new();
        let snapshot = self.definitions.snapshot(&format!("{BASE}{}", parameter.resource_type)).ok();
        for path in parameter.expression.split(" | ") {
            let element = snapshot.as_ref().and_then(|snapshot| snapshot.element(path));
            let binding = element.and_then(|element| element.binding.as_ref()?.value_set.as_deref());
            let value_set = binding.and_then(|canonical| self.definitions.value_set(canonical));
            let includes = value_set.iter().flat_map(|value_set| &value_set.compose.include);
            systems.extend(includes.filter_map(|include| include.system.clone()));
        }
        systems
    }

    /// The number of the set of parameters of a resource type: rows that another set made are to be made anew. 0 if there is
    /// no such type.
    #[must_use]
    pub fn generation(&self, resource_type: &str) -> i64 {
        self.of_type(resource_type).map_or(0, |of_type| of_type.generation)
    }

    /// True where the rows of some resource of the type may not be as this set makes them.
    #[must_use]
    pub fn is_behind(&self, resource_type: &str) -> bool {
        self.standings.indexed(resource_type, "") != Some(self.generation(resource_type))
    }

    /// The resource types that have parameters beyond those of FHIR, UK Core and Kith.
    #[must_use]
    pub fn extended_types(&self) -> BTreeSet<String> {
        let added = self.definitions.canonicals("SearchParameter").filter_map(|(_, canonical)| {
            self.definitions.search_parameter(&canonical).filter(|definition| !is_embedded(definition))
        });
        added.flat_map(|definition| admission::concrete(&definition).collect::<Vec<_>>()).collect()
    }

    fn standing(&self, definition: &SearchParameter, parameter: &Parameter) -> Standing {
        if is_embedded(definition) {
            Standing::Ready
        } else if self.standings.drafts.contains(&definition.url) {
            Standing::Draft
        } else if self.standings.indexed(&parameter.resource_type, parameter.code()) == Some(parameter.generation) {
            Standing::Ready
        } else {
            Standing::Indexing
        }
    }

    fn compile_type(&self, resource_type: &str) -> OfType {
        let found = self.definitions.search_parameters(resource_type);
        let compiled = found.iter().filter_map(|definition| {
            let mut parameter = compile(definition, resource_type, &self.definitions, Types::r4())?;
            parameter.standing = self.standing(definition, &parameter);
            Some(parameter)
        });
        let mut parameters: Vec<Arc<Parameter>> = compiled.map(Arc::new).collect();
        parameters.sort_by(|a, b| a.code().cmp(b.code()));
        parameters.dedup_by(|a, b| a.code() == b.code());
        let generation = standing::of_set(parameters.iter().map(|parameter| &**parameter));
        OfType { parameters, generation }
    }
}

/// FHIR's own parameters, UK Core's and Kith's can be used always: a server that is upgraded goes on answering while it
/// indexes anew.
fn is_embedded(definition: &SearchParameter) -> bool {
    Definitions::embedded().search_parameter(&definition.url).is_some()
}

impl OfType {
    /// The parameters that packages and operators added, with the numbers of their definitions.
    pub fn added(&self) -> impl Iterator<Item = &Arc<Parameter>> {
        let embedded = Definitions::embedded();
        self.parameters.iter().filter(move |parameter| embedded.search_parameter(&parameter.url).is_none())
    }

    /// True where a parameter waits for its index.
    #[must_use]
    pub fn is_indexing(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.standing == Standing::Indexing)
    }

    /// The parameter with this code.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Arc<Parameter>> {
        let at = self.parameters.binary_search_by(|parameter| parameter.code().cmp(code)).ok()?;
        self.parameters.get(at)
    }

    /// All parameters, sorted by code.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Parameter>> {
        self.parameters.iter()
    }

    /// The codes that a search can use.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(|parameter| parameter.is_searchable()).map(|parameter| parameter.code())
    }

    /// The code nearest to a mistyped one.
    #[must_use]
    pub fn nearest(&self, code: &str) -> Option<&str> {
        suggest::nearest(code, self.codes())
    }
}
