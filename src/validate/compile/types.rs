//! A base type into its schema: structure from the type table, rules from its StructureDefinition.

use std::sync::Arc;

use crate::fhir::definitions::Definitions;
use crate::fhir::definitions::{Constraint, ElementDefinition, StructureDefinition};
use crate::fhir::issue::Issue;
use crate::fhir::types::{Child, TypeIndex, TypeKind, Types};

use crate::validate::rule::Rule;
use crate::validate::schema::{Element, MAX_ELEMENTS, Name, Shape, TypeSchema, key};

use super::{facets, failure};

/// Compiles the schema of a type.
pub fn compile(definitions: &Definitions, index: TypeIndex) -> Result<TypeSchema, Issue> {
    let types = Types::r4();
    let definition = types.definition(index);
    let structure = structure_of(definitions, &definition.name)?;
    let mut schema = TypeSchema {
        name: definition.name.to_string(),
        url: structure.url.clone(),
        type_: index,
        shape: match definition.kind {
            TypeKind::Primitive(kind) => Shape::Primitive(kind),
            TypeKind::Resource if definition.abstract_ => Shape::AnyResource,
            TypeKind::Resource => Shape::Resource,
            TypeKind::Complex | TypeKind::Backbone => Shape::Object,
        },
        elements: Vec::new(),
        names: Vec::new(),
        keys: Vec::new(),
        required: Vec::new(),
        rules: type_rules(definitions, index)?,
    };
    for child in &definition.children {
        add_element(definitions, &mut schema, child)?;
    }
    if schema.elements.len() > MAX_ELEMENTS {
        return Err(failure(&schema.url, &schema.name, "the type has more elements than this server counts"));
    }
    Ok(schema)
}

fn structure_of(definitions: &Definitions, type_name: &str) -> Result<Arc<StructureDefinition>, Issue> {
    let owner = type_name.split('.').next().unwrap_or(type_name);
    let canonical = format!("{}{owner}", facets::HL7);
    definitions.structure(&canonical).ok_or_else(|| failure(&canonical, type_name, "the definition is not loaded"))
}

fn add_element(definitions: &Definitions, schema: &mut TypeSchema, child: &Child) -> Result<(), Issue> {
    let types = Types::r4();
    let position = u16::try_from(schema.elements.len()).unwrap_or(u16::MAX);
    let (url, definition) = element_of(definitions, schema.type_, &child.name)
        .ok_or_else(|| failure(&schema.url, &child.name, "the element has no definition"))?;
    for (json, type_) in &child.choices {
        let is_primitive = types.primitive(*type_).is_some();
        schema.keys.push(key(json));
        schema.names.push(Name {
            json: json.to_string(),
            sibling: if is_primitive { format!("_{json}") } else { String::new() },
            step: if child.is_choice {
                format!("{}.ofType({})", child.name, types.definition(*type_).name)
            } else {
                json.to_string()
            },
            element: position,
            type_: *type_,
        });
    }
    if child.min > 0 {
        schema.required.push(position);
    }
    let has_own_type = definition.content_reference.is_some() || types.get(&definition.path).is_some();
    let mut rules = element_rules(definitions, &url, &definition, has_own_type)?;
    rules.extend(facets::own_element_rules(schema.type_, &child.name).map(Rule::BuiltIn));
    facets::sort(&mut rules);
    schema.elements.push(Element {
        id: definition.id,
        url,
        name: child.name.to_string(),
        key: key(&child.name),
        repeats: child.repeats,
        is_choice: child.is_choice,
        min: child.min,
        demanded: facets::demanded(&rules),
        rules,
    });
    Ok(())
}

/// The definition of an element, in the type or in one it inherits from, with the canonical of the structure.
pub fn element_of(definitions: &Definitions, index: TypeIndex, name: &str) -> Option<(String, ElementDefinition)> {
    let types = Types::r4();
    let bases = std::iter::successors(Some(index), |index| types.definition(*index).base);
    for owner in bases {
        let owner = &types.definition(owner).name;
        let structure = structure_of(definitions, owner).ok()?;
        let path = format!("{owner}.{name}");
        let found = structure.differential.iter().find(|element| element.path.trim_end_matches("[x]") == path);
        if let Some(element) = found {
            return Some((structure.url.clone(), element.clone()));
        }
    }
    None
}

/// Rules of an element; a backbone's invariants belong to its type, so that references to its content have them too.
fn element_rules(
    definitions: &Definitions,
    url: &str,
    element: &ElementDefinition,
    has_own_type: bool,
) -> Result<Vec<Rule>, Issue> {
    let mut rules = Vec::new();
    facets::values(element, &mut rules);
    let resource_type = |canonical: &str| definitions.structure(canonical).map(|structure| structure.type_.clone());
    rules.extend(facets::targets(&element.types, resource_type).map(Rule::Targets));
    rules.extend(facets::binding(element).map(Rule::Binding));
    if !has_own_type {
        rules.extend(invariants(url, &element.id, &element.constraints)?);
    }
    facets::sort(&mut rules);
    Ok(rules)
}

/// Invariants on the type itself and on those it inherits from.
fn type_rules(definitions: &Definitions, index: TypeIndex) -> Result<Vec<Rule>, Issue> {
    let types = Types::r4();
    let mut rules = Vec::new();
    for owner in std::iter::successors(Some(index), |index| types.definition(*index).base) {
        let name = &types.definition(owner).name;
        let structure = structure_of(definitions, name)?;
        if let Some(root) = structure.differential.iter().find(|element| *element.path == **name) {
            rules.extend(invariants(&structure.url, &root.id, &root.constraints)?);
        }
        rules.extend(facets::own_rules(name).iter().copied().map(Rule::BuiltIn));
    }
    facets::sort(&mut rules);
    Ok(rules)
}

fn invariants(url: &str, element: &str, constraints: &[Arc<Constraint>]) -> Result<Vec<Rule>, Issue> {
    let rules = constraints.iter().filter_map(|constraint| facets::invariant(constraint).transpose());
    rules.map(|rule| rule.map_err(|reason| failure(url, element, &reason))).collect()
}
