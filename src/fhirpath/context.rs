//! What an evaluation may ask of the world around the resource: `%resource`, other resources, terminology, time, limits.
//! Made by validation, search extraction and patch; cheap to make, borrows everything.

use std::sync::atomic::AtomicU64;

use super::item::Item;
use super::node::Node;
use super::resolve::Surroundings;
use crate::clock::Micros;
use crate::fhir::types::Types;

/// Bounds that end every evaluation, whatever the expression.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Evaluations of a part of the expression, elements visited and comparisons made.
    pub steps: u64,
    /// Items in one collection.
    pub items: usize,
    /// Bytes in one text.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 4_000_000, items: 200_000, text: 1_048_576 }
    }
}

/// What other modules can answer. Every default means "not known".
pub trait Services: std::fmt::Debug {
    /// `resolve()` of a reference that is neither contained nor in the bundle around the resource.
    fn resolve<'a>(&'a self, reference: &str) -> Option<Node<'a>> {
        let _ = reference;
        None
    }

    /// `memberOf()`: whether the code is in the value set; nothing where that cannot be said.
    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let _ = (value_set, system, code);
        None
    }

    /// `subsumes()`: whether the first code of a system is the second or an ancestor of it; nothing where that cannot be
    /// said.
    fn subsumes(&self, system: &str, general: &str, specific: &str) -> Option<bool> {
        let _ = (system, general, specific);
        None
    }

    /// `conformsTo()`: whether the element conforms to a profile; nothing for a profile that is not known.
    /// The base definitions of FHIR are answered by the engine itself.
    fn conforms_to(&self, node: &Node<'_>, profile: &str) -> Option<bool> {
        let _ = (node, profile);
        None
    }
}

/// Answers nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoServices;

impl Services for NoServices {}

/// The surroundings of an evaluation.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// `%resource`: the resource that holds the focus.
    pub resource: Option<Node<'a>>,
    /// `%rootResource`: the resource that contains `resource`, or `resource` itself.
    pub root_resource: Option<Node<'a>>,
    /// The Bundle around the root resource, for `resolve()`.
    pub bundle: Option<Node<'a>>,
    /// The type table.
    pub types: &'static Types,
    /// The instant of `now()` and `today()`.
    pub now: Micros,
    /// Answers of other modules.
    pub services: &'a dyn Services,
    /// Values of further `%variables`.
    pub variables: Vec<(&'a str, Vec<Item<'a>>)>,
    /// Whether `resolve()` of an unknown reference gives an empty resource of the type that the reference names, as
    /// search parameters (`where(resolve() is Patient)`) need.
    pub typed_references: bool,
    /// Whether `as` and `as()` on several items is an error. FHIRPath says so; R4's own invariants and search
    /// parameters (dom-3, `component.value as Quantity`) need it not to be, as HAPI has it.
    pub strict_as: bool,
    /// The bounds.
    pub limits: Limits,
    /// Counts the steps of all evaluations that share it, for a bound on all of them together.
    pub spent: Option<&'a AtomicU64>,
}

impl<'a> Context<'a> {
    /// A context for a resource on its own: it is `%resource` and `%rootResource`.
    #[must_use]
    pub fn new(resource: &'a serde_json::Value, now: Micros) -> Self {
        let node = Node::resource(resource, Types::r4());
        Self::of(node, node, now)
    }

    /// A context for a resource whose node, and whose container's node, are known already: what [`Context::new`] would
    /// look up for every invariant anew.
    #[must_use]
    pub fn of(resource: Node<'a>, root_resource: Node<'a>, now: Micros) -> Self {
        Self {
            resource: Some(resource),
            root_resource: Some(root_resource),
            bundle: None,
            types: Types::r4(),
            now,
            services: &NoServices,
            variables: Vec::new(),
            typed_references: false,
            strict_as: false,
            limits: Limits::default(),
            spent: None,
        }
    }

    /// Sets the resource that contains `%resource`.
    #[must_use]
    pub const fn contained_in(mut self, root: Node<'a>) -> Self {
        self.root_resource = Some(root);
        self
    }

    /// Sets the Bundle in which references are looked up.
    #[must_use]
    pub const fn in_bundle(mut self, bundle: Node<'a>) -> Self {
        self.bundle = Some(bundle);
        self
    }

    /// Sets who answers `resolve()`, `memberOf()` and `conformsTo()`.
    #[must_use]
    pub const fn with_services(mut self, services: &'a dyn Services) -> Self {
        self.services = services;
        self
    }

    /// Defines a `%variable`.
    #[must_use]
    pub fn with_variable(mut self, name: &'a str, items: Vec<Item<'a>>) -> Self {
        self.variables.push((name, items));
        self
    }

    /// Makes `resolve()` answer unknown references by their type alone.
    #[must_use]
    pub const fn with_typed_references(mut self) -> Self {
        self.typed_references = true;
        self
    }

    /// Where references are looked up first.
    pub(super) const fn surroundings(&self) -> Surroundings<'a> {
        Surroundings { root: self.root_resource, bundle: self.bundle, types: self.types }
    }
}
