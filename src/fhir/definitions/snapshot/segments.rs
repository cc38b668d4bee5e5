//! Element ids taken apart: `Observation.component:systolic.value[x]` into names and slices.

use crate::fhir::definitions::model::ElementDefinition;

/// One step of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// Element name.
    pub(super) name: &'a str,
    /// Slice, where the step goes to one.
    pub(super) slice: Option<&'a str>,
}

/// The steps of an element's id. Where id and path disagree about the number of steps (slice names with dots), the path says
/// where they end.
pub(super) fn segments(element: &ElementDefinition) -> Vec<Segment<'_>> {
    let names: Vec<&str> = element.path.split('.').collect();
    let steps: Vec<&str> = element.id.split('.').collect();
    if steps.len() == names.len() {
        return steps.into_iter().map(segment).collect();
    }
    aligned(&element.id, &names).unwrap_or_else(|| {
        let mut found: Vec<Segment<'_>> = names.into_iter().map(segment).collect();
        if let Some(last) = found.last_mut() {
            last.slice = element.slice_name.as_deref();
        }
        found
    })
}

fn segment(step: &str) -> Segment<'_> {
    match step.split_once(':') {
        Some((name, slice)) => Segment { name, slice: Some(slice) },
        None => Segment { name: step, slice: None },
    }
}

fn aligned<'a>(id: &'a str, names: &[&str]) -> Option<Vec<Segment<'a>>> {
    let mut found = Vec::new();
    let mut rest = id;
    for (at, name) in names.iter().enumerate() {
        if !rest.starts_with(name) {
            return None;
        }
        let end = match names.get(at + 1) {
            Some(next) => rest.match_indices('.').map(|(dot, _)| dot).find(|dot| {
                rest.get(dot + 1..)
                    .and_then(|after| after.strip_prefix(next))
                    .is_some_and(|after| after.is_empty() || after.starts_with(['.', ':']))
            })?,
            None => rest.len(),
        };
        found.push(segment(rest.get(..end)?));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Some(found)
}
