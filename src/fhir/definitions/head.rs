//! Finds type, url and version of a definition at the start of its text, so that thousands of definitions are indexed
//! without being parsed.

use std::borrow::Cow;

use serde::Deserialize;

/// What a definition is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub(super) resource_type: Cow<'a, str>,
    pub(super) url: Cow<'a, str>,
    pub(super) version: Option<Cow<'a, str>>,
}

/// The head of a JSON text; `None` where it is no resource with a canonical url.
pub(super) fn head(text: &str) -> Option<Head<'_>> {
    leading(text).or_else(|| parsed(text))
}

/// The publication status of a definition; none where it states none.
pub(super) fn status(text: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Whole<'a> {
        #[serde(borrow, default)]
        status: Option<Cow<'a, str>>,
    }
    serde_json::from_str::<Whole<'_>>(text).ok()?.status
}

/// The kind of a StructureDefinition that names its type; none where one of them is missing.
pub(super) fn structure_kind(text: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Whole<'a> {
        #[serde(borrow)]
        kind: Cow<'a, str>,
        #[serde(borrow, rename = "type")]
        _type: Cow<'a, str>,
    }
    serde_json::from_str::<Whole<'_>>(text).ok().map(|whole| whole.kind)
}

/// Reads string members from the start until the one after `url`. Gives up (`None`) at anything else.
fn leading(text: &str) -> Option<Head<'_>> {
    let mut rest = text.trim_start().strip_prefix('{')?;
    let (mut resource_type, mut url) = (None, None);
    loop {
        let (name, after) = string(rest)?;
        let after = after.trim_start().strip_prefix(':')?;
        if name == "version" || url.is_none() {
            let (value, after) = string(after)?;
            match name {
                "resourceType" => resource_type = Some(value),
                "url" => url = Some(value),
                "version" => {
                    let head =
                        Head { resource_type: resource_type?.into(), url: url?.into(), version: Some(value.into()) };
                    return Some(head);
                }
                _ => {}
            }
            rest = after.trim_start().strip_prefix(',')?;
        } else {
            // The importer writes version right after url, so that here it is known to be absent; others may not.
            let is_importers = name == "name" || name == "status";
            let head = Head { resource_type: resource_type?.into(), url: url?.into(), version: None };
            return is_importers.then_some(head).filter(|_| !text.contains("\"version\""));
        }
    }
}

fn string(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix('"')?;
    let end = text.find(['"', '\\'])?;
    let (value, rest) = text.split_at_checked(end)?;
    Some((value, rest.strip_prefix('"')?))
}

fn parsed(text: &str) -> Option<Head<'_>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Whole<'a> {
        #[serde(borrow)]
        resource_type: Cow<'a, str>,
        #[serde(borrow)]
        url: Cow<'a, str>,
        #[serde(borrow, default)]
        version: Option<Cow<'a, str>>,
    }
    let whole: Whole<'_> = serde_json::from_str(text).ok()?;
    Some(Head { resource_type: whole.resource_type, url: whole.url, version: whole.version })
}
