//! Look-up of search parameters by resource type and code; each type is compiled when it is first asked for.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::Parameter;
use super::compile::compile;
use crate::fhir::definitions::Definitions;
use crate::fhir::suggest;
use crate::fhir::types::Types;
use crate::terminology::Terminology;

/// Where the definitions of FHIR's own types lie.
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// All search parameters of a set of definitions.
#[derive(Debug)]
pub struct Registry {
    definitions: Arc<Definitions>,
    terminology: Terminology,
    by_type: HashMap<String, OnceLock<OfType>>,
}

/// The search parameters of one resource type, sorted by code.
#[derive(Debug)]
pub struct OfType {
    parameters: Vec<Arc<Parameter>>,
}

impl Registry {
    /// A registry over `definitions`; cheap, since types are compiled at first use.
    #[must_use]
    pub fn new(definitions: Arc<Definitions>) -> Self {
        let types = definitions.resource_types();
        let by_type = types.iter().map(|name| (name.clone(), OnceLock::new())).collect();
        Self { terminology: Terminology::new(Arc::clone(&definitions)), definitions, by_type }
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
    pub const fn terminology(&self) -> &Terminology {
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

    fn compile_type(&self, resource_type: &str) -> OfType {
        let found = self.definitions.search_parameters(resource_type);
        let compiled =
            found.iter().filter_map(|definition| compile(definition, resource_type, &self.definitions, Types::r4()));
        let mut parameters: Vec<Arc<Parameter>> = compiled.map(Arc::new).collect();
        parameters.sort_by(|a, b| a.code().cmp(b.code()));
        parameters.dedup_by(|a, b| a.code() == b.code());
        OfType { parameters }
    }
}

impl OfType {
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
