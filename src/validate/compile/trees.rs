//! Follows a discriminator path through the definitions: through the profile's own tree, and through the profiles that
//! its elements and references name. Called by `slicing`.

use std::borrow::Cow;

use serde_json::Value;

use crate::fhir::definitions::Max;
use crate::fhir::types::{TypeIndex, Types};

use crate::validate::rule::{Rule, Target};
use crate::validate::schema::{Node, ProfileIndex, Step};
use crate::validate::schemas::Schemas;

use super::draft::Drafts;
use super::{facets, profile};

/// Where a path has come to.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// The nodes that constrain the place: tree and position.
    nodes: Vec<(usize, usize)>,
    /// The types a value may have there.
    pub types: Vec<TypeIndex>,
    /// What fixed and pattern values further up prescribe there.
    pub prescribed: Vec<Value>,
    /// The targets of the reference there.
    pub targets: Vec<Target>,
}

/// The tree of the profile (the first), and those of the profiles that its elements name.
#[derive(Debug)]
pub struct Trees<'s> {
    schemas: &'s Schemas,
    drafts: &'s Drafts,
    all: Vec<Cow<'s, [Node]>>,
}

impl<'s> Trees<'s> {
    /// The trees reachable from a profile; so far its own.
    #[must_use]
    pub fn new(schemas: &'s Schemas, drafts: &'s Drafts, own: &'s [Node]) -> Self {
        Self { schemas, drafts, all: vec![Cow::Borrowed(own)] }
    }

    /// The beginning of a path: a slice, and the slice it slices again.
    #[must_use]
    pub fn start(&self, slice: usize) -> Cursor {
        let draft = &self.drafts.all[slice];
        let mut nodes = vec![(0, slice)];
        nodes.extend(draft.sliced.filter(|sliced| self.drafts.all[*sliced].sliced.is_some()).map(|sliced| (0, sliced)));
        let mut cursor = Cursor { nodes, types: draft.types.clone(), ..Cursor::default() };
        cursor.targets = self.targets(&cursor);
        cursor
    }

    /// The position of the place in the profile's own tree.
    #[must_use]
    pub fn own(&self, cursor: &Cursor) -> Option<usize> {
        cursor.nodes.iter().find(|(tree, _)| *tree == 0).map(|(_, node)| *node)
    }

    /// True where the profile's own tree says that there is nothing at the place.
    #[must_use]
    pub fn is_forbidden(&self, cursor: &Cursor) -> bool {
        self.own(cursor).is_some_and(|own| self.drafts.all[own].element.max == Some(Max::Count(0)))
    }

    /// The types that the profile allows at the place: those it names one by one for a choice, for example by an element
    /// `valueString`, or those it states.
    #[must_use]
    pub fn choices(&self, cursor: &Cursor) -> Option<Vec<TypeIndex>> {
        let draft = &self.drafts.all[self.own(cursor)?];
        let named = draft.slices.iter().flat_map(|(_, slice)| &self.drafts.all[*slice].types);
        let named: Vec<TypeIndex> = named.copied().collect();
        if draft.is_choice && !named.is_empty() {
            return Some(named);
        }
        (!draft.element.types.is_empty()).then(|| draft.types.clone())
    }

    /// The rules at the place.
    pub fn rules(&self, cursor: &Cursor) -> impl Iterator<Item = &Rule> {
        self.nodes(cursor).flat_map(|node| &node.rules)
    }

    /// The names of the constrained children of the place.
    #[must_use]
    pub fn child_names(&self, cursor: &Cursor) -> Vec<String> {
        let mut names: Vec<String> =
            self.nodes(cursor).flat_map(|node| &node.children).map(|(name, _)| name.clone()).collect();
        names.dedup();
        names
    }

    fn nodes(&self, cursor: &Cursor) -> impl Iterator<Item = &Node> {
        let nodes: Vec<&Node> =
            cursor.nodes.iter().filter_map(|(tree, node)| self.all.get(*tree)?.get(*node)).collect();
        nodes.into_iter()
    }

    /// Takes one step. Err: why the path cannot be followed.
    pub fn advance(&mut self, cursor: &mut Cursor, token: &str) -> Result<Step, String> {
        if token == "resolve()" {
            cursor.types = cursor.targets.iter().filter_map(|target| Types::r4().get(&target.type_)).collect();
            let profiles = self.target_profiles(cursor);
            cursor.nodes = self.foreign(&profiles);
            cursor.prescribed.clear();
            return Ok(Step::Resolve);
        }
        if let Some(url) = argument(token, "extension") {
            let extension = self.schemas.profile_index(url);
            *cursor = Cursor { nodes: self.foreign(extension.as_slice()), ..Cursor::default() };
            cursor.types.extend(Types::r4().get("Extension"));
            return Ok(Step::Extension(url.to_owned()));
        }
        if let Some(name) = argument(token, "ofType") {
            let type_ = Types::r4().get(name).ok_or_else(|| format!("discriminator: type {name} is not known"))?;
            cursor.types = vec![type_];
            return Ok(Step::OfType(type_));
        }
        if token.contains('(') {
            return Err(format!("discriminator function {token} is not one that FHIR allows"));
        }
        let names = names(cursor, token);
        if names.is_empty() {
            return Err(format!("discriminator path: there is no element {token}"));
        }
        let profiles = self.type_profiles(cursor);
        let foreign = self.foreign(&profiles);
        cursor.nodes.extend(foreign);
        self.child(cursor, token.trim_end_matches("[x]"));
        cursor.types = names.iter().map(|(_, type_)| *type_).collect();
        Ok(Step::Child(names))
    }

    /// Moves to the children of a name: their nodes, and what fixed and pattern values above say of them.
    fn child(&self, cursor: &mut Cursor, name: &str) {
        let mut prescribed = Vec::new();
        let above = self.rules(cursor).filter_map(|rule| match rule {
            Rule::Fixed(value) | Rule::Pattern(value) => Some(value),
            _ => None,
        });
        for value in above.chain(&cursor.prescribed) {
            match value.get(name) {
                Some(Value::Array(items)) => prescribed.extend(items.iter().cloned()),
                Some(value) => prescribed.push(value.clone()),
                None => {}
            }
        }
        let mut nodes = Vec::new();
        for (tree, node) in &cursor.nodes {
            let children = self.all.get(*tree).and_then(|tree| tree.get(*node)).map(|node| node.children.as_slice());
            for (_, child) in children.unwrap_or_default().iter().filter(|(child, _)| child == name) {
                let child = *child as usize;
                nodes.push((*tree, child));
                if *tree == 0 {
                    nodes.extend(self.drafts.all[child].slices.iter().map(|(_, slice)| (0, *slice)));
                }
            }
        }
        cursor.nodes = nodes;
        cursor.prescribed = prescribed;
        cursor.targets = self.targets(cursor);
    }

    fn targets(&self, cursor: &Cursor) -> Vec<Target> {
        let lists = self.rules(cursor).filter_map(|rule| match rule {
            Rule::Targets(targets) => Some(targets.clone()),
            _ => None,
        });
        lists.flatten().collect()
    }

    /// Adds the trees of profiles; returns their roots.
    fn foreign(&mut self, profiles: &[ProfileIndex]) -> Vec<(usize, usize)> {
        let mut roots = Vec::new();
        for index in profiles {
            if let Ok(nodes) = profile::outline(self.schemas, *index) {
                roots.push((self.all.len(), 0));
                self.all.push(Cow::Owned(nodes));
            }
        }
        roots
    }

    /// The profiles that the value at the place must meet.
    #[must_use]
    pub fn type_profiles(&self, cursor: &Cursor) -> Vec<ProfileIndex> {
        let lists = self.rules(cursor).filter_map(|rule| match rule {
            Rule::Profiles(_, profiles) => Some(profiles.clone()),
            _ => None,
        });
        lists.flatten().collect()
    }

    /// The profiles that the target of the reference at the place must meet.
    #[must_use]
    pub fn target_profiles(&self, cursor: &Cursor) -> Vec<ProfileIndex> {
        let own = cursor.targets.iter().filter(|target| !target.canonical.starts_with(facets::HL7));
        own.filter_map(|target| self.schemas.profile_index(&target.canonical)).collect()
    }
}

/// JSON names of an element below the types of the place.
fn names(cursor: &Cursor, token: &str) -> Vec<(String, TypeIndex)> {
    let types = Types::r4();
    let plain = token.trim_end_matches("[x]");
    let mut names: Vec<(String, TypeIndex)> = Vec::new();
    for type_ in &cursor.types {
        let child = types.definition(*type_).children.iter().find(|child| *child.name == *plain);
        for (json, type_) in child.iter().flat_map(|child| &child.choices) {
            if names.iter().all(|(known, _)| **known != **json) {
                names.push((json.to_string(), *type_));
            }
        }
    }
    if names.is_empty() && cursor.types.is_empty() {
        names.extend(types.get("Element").map(|element| (plain.to_owned(), element)));
    }
    names
}

fn argument<'t>(token: &'t str, function: &str) -> Option<&'t str> {
    let inner = token.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.trim_matches(['\'', '"']))
}
