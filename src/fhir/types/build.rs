//! Compiles the base StructureDefinitions (differentials) into the type table, in two passes: first every type and backbone
//! gets its index, then children are filled in, base types before those that specialise them.

use std::collections::HashMap;

pub(super) use super::source::embedded;
use super::source::{Base, Element};
use super::{Child, PrimitiveKind, TypeDefinition, TypeIndex, TypeKind, Types};

/// Compiles the table.
pub(super) fn compile(bases: &[Base<'_>]) -> Types {
    let by_type: HashMap<&str, &Base<'_>> = bases.iter().map(|base| (base.r#type, base)).collect();
    let mut builder = Builder { bases: by_type, names: HashMap::new(), definitions: Vec::new(), filled: Vec::new() };
    for base in bases {
        builder.declare(base);
    }
    for base in bases {
        builder.fill(base);
    }
    builder.finish()
}

struct Builder<'a> {
    bases: HashMap<&'a str, &'a Base<'a>>,
    names: HashMap<&'a str, TypeIndex>,
    definitions: Vec<TypeDefinition>,
    filled: Vec<bool>,
}

impl<'a> Builder<'a> {
    /// Gives the type and each of its backbones an index.
    fn declare(&mut self, base: &'a Base<'a>) {
        let kind = match (base.kind, PrimitiveKind::from_name(base.r#type)) {
            (_, Some(primitive)) => TypeKind::Primitive(primitive),
            ("resource", None) => TypeKind::Resource,
            _ => TypeKind::Complex,
        };
        self.add(base.r#type, kind, base.abstract_);
        for element in base.differential.element.iter().filter(|element| element.is_backbone()) {
            self.add(element.path, TypeKind::Backbone, false);
        }
    }

    fn add(&mut self, name: &'a str, kind: TypeKind, abstract_: bool) {
        let index = TypeIndex(u32::try_from(self.definitions.len()).unwrap_or(u32::MAX));
        self.names.insert(name, index);
        let (name, children, lookup) = (name.into(), Vec::new(), Vec::new());
        self.definitions.push(TypeDefinition { name, kind, base: None, abstract_, children, lookup });
        self.filled.push(false);
    }

    /// Fills in the children of a type and its backbones, its base first.
    fn fill(&mut self, base: &'a Base<'a>) {
        let Some(&index) = self.names.get(base.r#type) else { return };
        if std::mem::replace(&mut self.filled[index.0 as usize], true) {
            return;
        }
        self.inherit(index, base.parent.and_then(|url| url.rsplit('/').next()));
        for element in &base.differential.element {
            let Some((owner, name)) = element.path.rsplit_once('.') else { continue };
            let Some(&owner) = self.names.get(owner) else { continue };
            if element.is_backbone()
                && let Some(&backbone) = self.names.get(element.path)
            {
                self.inherit(backbone, element.types.first().map(|kind| kind.code));
            }
            self.add_child(owner, name, element);
        }
    }

    fn inherit(&mut self, index: TypeIndex, parent: Option<&str>) {
        let Some(parent) = parent else { return };
        if let Some(base) = self.bases.get(parent).copied() {
            self.fill(base);
        }
        let Some(&parent) = self.names.get(parent) else { return };
        let children = self.definitions[parent.0 as usize].children.clone();
        let definition = &mut self.definitions[index.0 as usize];
        definition.base = Some(parent);
        definition.children = children;
    }

    fn add_child(&mut self, owner: TypeIndex, name: &str, element: &Element<'_>) {
        if element.is_primitive_value() {
            return;
        }
        let plain = name.trim_end_matches("[x]");
        let choices = self.choices(name, element);
        let children = &mut self.definitions[owner.0 as usize].children;
        children.retain(|child| &*child.name != plain);
        if element.max == Some("0") {
            return;
        }
        children.push(Child {
            name: plain.into(),
            repeats: !matches!(element.max, Some("0" | "1")),
            min: element.min,
            choices,
            is_choice: name.ends_with("[x]"),
            attribute: element.representation.contains(&"xmlAttr"),
            is_summary: element.is_summary,
            is_modifier: element.is_modifier,
            reference_targets: element.targets(),
        });
    }

    fn choices(&self, name: &str, element: &Element<'_>) -> Vec<(Box<str>, TypeIndex)> {
        let Some(stem) = name.strip_suffix("[x]") else {
            return self.names.get(element.type_name()).map(|index| (name.into(), *index)).into_iter().collect();
        };
        let named = element.types.iter().filter_map(|kind| {
            let index = *self.names.get(kind.code)?;
            Some((format!("{stem}{}", capitalised(kind.code)).into_boxed_str(), index))
        });
        named.collect()
    }

    fn finish(mut self) -> Types {
        for definition in &mut self.definitions {
            let mut lookup = Vec::new();
            for (child, number) in definition.children.iter().zip(0..) {
                lookup.extend(child.choices.iter().map(|(name, index)| (name.clone(), number, *index)));
            }
            lookup.sort();
            definition.lookup = lookup;
        }
        let mut by_name: Vec<(Box<str>, TypeIndex)> =
            self.names.into_iter().map(|(name, index)| (name.into(), index)).collect();
        by_name.sort();
        let is_concrete = |definition: &&TypeDefinition| definition.kind == TypeKind::Resource && !definition.abstract_;
        let mut resources: Vec<String> =
            self.definitions.iter().filter(is_concrete).map(|definition| definition.name.to_string()).collect();
        resources.sort();
        let before = |letter: usize| resources.partition_point(|name| usize::from(name.as_bytes()[0] - b'A') < letter);
        let letters = std::array::from_fn(before);
        Types { definitions: self.definitions, by_name, resources, letters }
    }
}

fn capitalised(code: &str) -> String {
    let mut letters = code.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}
