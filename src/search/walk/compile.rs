//! From the parts of a path to steps: every choice of type becomes a walk of its own, so that running needs no types.

use super::syntax::{self, Part};
use super::{Step, Walk};
use crate::fhir::types::{TypeIndex, Types};

/// See [`super::compile()`].
pub(super) fn compile(expression: &str, root: TypeIndex, types: &Types) -> Option<Vec<Walk>> {
    let resource_type = &*types.definition(root).name;
    let mut walks = Vec::new();
    for alternative in super::alternatives(expression, resource_type) {
        for walk in compile_path(&syntax::parts(alternative)?, root, types)? {
            if !walks.contains(&walk) {
                walks.push(walk);
            }
        }
    }
    Some(walks)
}

fn compile_path(parts: &[Part<'_>], root: TypeIndex, types: &Types) -> Option<Vec<Walk>> {
    let starts_at_type =
        matches!(parts.first(), Some(Part::Name(name)) if types.get(name).is_some_and(|_| is_upper(name)));
    let mut walks = vec![Walk { steps: Vec::new(), end: root }];
    for part in parts.iter().skip(usize::from(starts_at_type)) {
        walks = walks.into_iter().map(|walk| extend(walk, part, types)).collect::<Option<Vec<_>>>()?.concat();
    }
    Some(walks)
}

fn is_upper(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_uppercase())
}

/// The walks that one more part makes of a walk: several for an element with a choice of types, none where `as` excludes it.
fn extend(walk: Walk, part: &Part<'_>, types: &Types) -> Option<Vec<Walk>> {
    let step = match *part {
        Part::Name(name) => return fields(&walk, name, types),
        Part::As(name) => {
            let fits = types.definition(walk.end).name.eq_ignore_ascii_case(name);
            return Some(if fits { vec![walk] } else { Vec::new() });
        }
        Part::Index(index) => return nth(walk, index),
        Part::Equals { name, text } => Step::Equals { name: name.into(), text: text.into() },
        Part::Refers(name) => Step::Refers { resource_type: name.into() },
        Part::Extension(url) => {
            let end = types.get("Extension")?;
            return Some(vec![with(walk, Step::Extension { url: url.into() }, end)]);
        }
    };
    let end = walk.end;
    Some(vec![with(walk, step, end)])
}

fn fields(walk: &Walk, name: &str, types: &Types) -> Option<Vec<Walk>> {
    let child = types.definition(walk.end).children.iter().find(|child| &*child.name == name)?;
    let step = |json_name: &str| Step::Field { name: json_name.into(), only: None };
    Some(child.choices.iter().map(|(json_name, end)| with(walk.clone(), step(json_name), *end)).collect())
}

fn nth(mut walk: Walk, index: usize) -> Option<Vec<Walk>> {
    match walk.steps.last_mut()? {
        Step::Field { only, .. } => *only = Some(index),
        _ => return None,
    }
    Some(vec![walk])
}

fn with(mut walk: Walk, step: Step, end: TypeIndex) -> Walk {
    walk.steps.push(step);
    walk.end = end;
    walk
}
