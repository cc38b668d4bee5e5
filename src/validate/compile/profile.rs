//! A profile or extension into its schema: only what it adds to the base type.

use crate::fhir::definitions::{Derivation, ElementDefinition, Max, StructureDefinition};
use crate::fhir::issue::Issue;
use crate::fhir::types::{TypeIndex, Types};
use crate::fhirpath::Expression;

use std::sync::Arc;

use crate::validate::rule::Rule;
use crate::validate::schema::{Context, Node, ProfileIndex, ProfileSchema, key as name_key};
use crate::validate::schemas::Schemas;

use super::draft::{Draft, Drafts};
use super::types::element_of;
use super::{facets, failure, slicing};

/// More derivations than this are a circle.
const MAX_CHAIN: usize = 32;

/// Compiles the schema of a profile.
pub fn compile(schemas: &Schemas, index: ProfileIndex) -> Result<ProfileSchema, Issue> {
    let canonical = schemas.canonical(index).unwrap_or_default();
    let chain = chain(schemas, canonical)?;
    let structure = Arc::clone(&chain[0]);
    let (drafts, mut nodes) = nodes(schemas, &chain)?;
    slicing::resolve(schemas, &structure, &drafts, &mut nodes)?;
    let type_ = drafts.all[0].types[0];
    let ancestors = chain.iter().skip(1).filter_map(|base| schemas.profile_index(&base.canonical())).collect();
    Ok(ProfileSchema {
        url: structure.url.clone(),
        version: structure.version.clone(),
        index,
        type_,
        type_name: structure.type_.clone(),
        retired: structure.status == "retired",
        contexts: contexts(&structure)?,
        context_invariants: expressions(&structure, &structure.context_invariants)?,
        modifier: drafts.all[0].element.is_modifier == Some(true),
        ancestors,
        nodes,
    })
}

fn contexts(structure: &StructureDefinition) -> Result<Vec<Context>, Issue> {
    let contexts = structure.context.iter().map(|context| {
        let text = context.expression.trim().to_owned();
        Ok(match context.kind.as_str() {
            "extension" => Context::Extension(text),
            "fhirpath" => {
                let mut compiled = expressions(structure, std::slice::from_ref(&text))?;
                compiled
                    .pop()
                    .map_or(Context::Element(String::new(), None), |expression| Context::Path(text, expression))
            }
            _ => {
                let type_ = Types::r4().get(&text);
                Context::Element(text, type_)
            }
        })
    });
    contexts.collect()
}

fn expressions(structure: &StructureDefinition, sources: &[String]) -> Result<Vec<Arc<Expression>>, Issue> {
    let compiled = sources.iter().map(|source| Expression::compile(source).map(Arc::new));
    let compiled: Result<Vec<_>, _> = compiled.collect();
    compiled.map_err(|error| failure(&structure.url, "context", &format!("does not compile: {error}")))
}

/// The tree of a profile without its slicings, for profiles that are told apart by another's content.
pub fn outline(schemas: &Schemas, index: ProfileIndex) -> Result<Vec<Node>, Issue> {
    let chain = chain(schemas, schemas.canonical(index).unwrap_or_default())?;
    nodes(schemas, &chain).map(|(_, nodes)| nodes)
}

/// True for what constrains a type. Some profiles say that they are a specialization; they name the type they constrain,
/// and have another url than that type.
fn is_profile(structure: &StructureDefinition) -> bool {
    structure.derivation == Some(Derivation::Constraint)
        || (Types::r4().get(&structure.type_).is_some()
            && structure.url.strip_prefix(facets::HL7) != Some(structure.type_.as_str()))
}

/// The profile and those it is derived from, down to the base type, which is left out.
fn chain(schemas: &Schemas, canonical: &str) -> Result<Vec<Arc<StructureDefinition>>, Issue> {
    let mut chain: Vec<Arc<StructureDefinition>> = Vec::new();
    let mut next = Some(canonical.to_owned());
    while let Some(canonical) = next {
        let structure = schemas.definitions().structure(&canonical).ok_or_else(|| {
            let asking = chain.last().map_or(canonical.as_str(), |asking| asking.url.as_str());
            failure(asking, "baseDefinition", &format!("{canonical} is not loaded or cannot be read"))
        })?;
        if !is_profile(&structure) && !chain.is_empty() {
            break;
        }
        if chain.len() == MAX_CHAIN {
            return Err(failure(&canonical, "baseDefinition", "the derivation goes in a circle"));
        }
        let is_constraint = is_profile(&structure);
        next = structure.base.clone().filter(|_| is_constraint);
        chain.push(structure);
    }
    Ok(chain)
}

fn nodes(schemas: &Schemas, chain: &[Arc<StructureDefinition>]) -> Result<(Drafts, Vec<Node>), Issue> {
    let structure = &chain[0];
    let type_ = Types::r4()
        .get(&structure.type_)
        .ok_or_else(|| failure(&structure.url, "type", &format!("{} is no type of FHIR R4", structure.type_)))?;
    let mut drafts = Drafts::new(type_);
    for structure in chain.iter().rev().filter(|structure| is_profile(structure)) {
        drafts.add(structure)?;
    }
    let nodes: Result<Vec<Node>, Issue> =
        drafts.all.iter().map(|draft| node(schemas, &structure.url, &drafts, draft)).collect();
    Ok((drafts, nodes?))
}

fn node(schemas: &Schemas, url: &str, drafts: &Drafts, draft: &Draft) -> Result<Node, Issue> {
    let base = base_of(schemas, drafts, draft);
    let element = &draft.element;
    let mut node = Node {
        id: draft.id.clone(),
        name: draft.name.clone(),
        must_support: element.must_support == Some(true),
        children: draft
            .children
            .iter()
            .map(|(name, child)| (name.clone(), u32::try_from(*child).unwrap_or(0)))
            .collect(),
        keys: draft.children.iter().map(|(name, _)| name_key(name)).collect(),
        ..Node::default()
    };
    if draft.sliced.is_none() && draft.parent.is_some() {
        node.min = element.min.filter(|min| *min > base.min).unwrap_or(0);
        node.max = match element.max {
            Some(Max::Count(max)) if base.repeats || max == 0 => Some(max),
            _ => None,
        };
    }
    let narrows = draft.types.len() < base.types.len() || draft.types.iter().any(|type_| !base.types.contains(type_));
    if narrows && draft.sliced.is_none() && draft.parent.is_some() && (draft.is_choice || is_resource(&draft.types)) {
        node.types.clone_from(&draft.types);
    }
    node.rules = rules(schemas, url, draft, &base)?;
    node.demanded = facets::demanded(&node.rules);
    Ok(node)
}

fn is_resource(types: &[TypeIndex]) -> bool {
    use crate::fhir::types::TypeKind;
    types.iter().all(|index| Types::r4().definition(*index).kind == TypeKind::Resource)
}

/// What the base type says of the element.
struct Base {
    min: u32,
    repeats: bool,
    types: Vec<TypeIndex>,
    element: Option<ElementDefinition>,
    keys: Vec<String>,
}

fn base_of(schemas: &Schemas, drafts: &Drafts, draft: &Draft) -> Base {
    let types = Types::r4();
    let mut base = Base { min: 0, repeats: true, types: Vec::new(), element: None, keys: Vec::new() };
    for type_ in &draft.types {
        if let Ok(schema) = schemas.type_(*type_) {
            base.keys.extend(schema.rules.iter().filter_map(key));
        }
    }
    let Some(parent) = draft.parent else { return base };
    for owner in &drafts.all[parent].types {
        let Some(child) = types.definition(*owner).children.iter().find(|child| *child.name == *draft.name) else {
            continue;
        };
        base.min = child.min;
        base.repeats = child.repeats;
        base.types = child.choices.iter().map(|(_, type_)| *type_).collect();
        base.element = element_of(schemas.definitions(), *owner, &draft.name).map(|(_, element)| element);
        break;
    }
    let own = base.element.iter().flat_map(|element| &element.constraints).map(|constraint| constraint.key.clone());
    base.keys.extend(own);
    base
}

fn key(rule: &Rule) -> Option<String> {
    match rule {
        Rule::Invariant(invariant) => Some(invariant.key.clone()),
        _ => None,
    }
}

/// Every DomainResource, Element and Extension has these already.
const UBIQUITOUS: [&str; 8] = ["ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ref-1"];

fn rules(schemas: &Schemas, url: &str, draft: &Draft, base: &Base) -> Result<Vec<Rule>, Issue> {
    let element = &draft.element;
    let mut rules = Vec::new();
    facets::values(element, &mut rules);
    let resource_type =
        |canonical: &str| schemas.definitions().structure(canonical).map(|structure| structure.type_.clone());
    let known = base.element.as_ref();
    if let Some(targets) = facets::targets(&element.types, resource_type) {
        let same = known.and_then(|known| facets::targets(&known.types, resource_type)).is_some_and(|known| {
            known.len() == targets.len()
                && known.iter().all(|known| targets.iter().any(|target| target.type_ == known.type_))
        });
        if !same {
            rules.push(Rule::Targets(targets));
        }
    }
    rules.extend(facets::target_profiles(&element.types, resource_type, |canonical| schemas.profile_index(canonical)));
    rules.extend(facets::aggregation(&element.types));
    if known.and_then(|known| known.binding.as_ref()) != element.binding.as_ref() {
        rules.extend(facets::binding(element).map(Rule::Binding));
        rules.extend(facets::additional_bindings(element).map(Rule::Binding));
    }
    rules.extend((element.must_have_value == Some(true)).then_some(Rule::ValuePresent));
    facets::type_profiles(&element.types, |canonical| schemas.profile_index(canonical), &mut rules);
    for constraint in &element.constraints {
        if base.keys.contains(&constraint.key) || UBIQUITOUS.contains(&constraint.key.as_str()) {
            continue;
        }
        rules.extend(facets::invariant(constraint).map_err(|reason| failure(url, &draft.id, &reason))?);
    }
    facets::sort(&mut rules);
    Ok(rules)
}
