//! `extension-unknown`, `extension-modifier`, `extension-context`, `extension-url`: extensions and where they stand
//! (<https://hl7.org/fhir/R4/defining-extensions.html#context>).

use crate::fhir::issue::IssueCode;
use crate::fhir::member::text;
use crate::fhir::path::Path;
use crate::fhir::suggest;

use crate::validate::run::{Focus, Origin, Place, Run};
use crate::validate::schema::{Context, ProfileSchema};

use super::{invariant, uri};

const EXTENSION: Origin<'static> =
    Origin { profile: "http://hl7.org/fhir/StructureDefinition/Extension", element: "Extension.url", base: true };

/// Reports an extension whose definition is not loaded: an error for a modifier, which may not be ignored.
pub fn unknown(run: &mut Run<'_, '_>, url: &str, is_modifier: bool, path: &Path<'_>) {
    if is_modifier {
        let hint = run.did_you_mean_profile(url);
        let text =
            format!("Modifier extension {url} is not known to this server, which may not ignore it. Remove it.{hint}");
        return run.error(IssueCode::Extension, "extension-modifier", text, path, EXTENSION);
    }
    if uri::is_of_examples(url) && !run.validator.reports_example_urls() {
        let text = "The extension has a url that is reserved for examples; its content is not checked.".to_owned();
        return run.warn(IssueCode::Extension, "extension-example", text, path, EXTENSION);
    }
    let hint = run.did_you_mean_profile(url);
    let text = format!("Extension {url} is not known to this server; its content is stored and not checked.{hint}");
    run.warn(IssueCode::Extension, "extension-unknown", text, path, EXTENSION);
}

/// Reports a modifier extension in `extension`, or another in `modifierExtension`.
pub fn wrong_kind(run: &mut Run<'_, '_>, modifier: bool, path: &Path<'_>, origin: Origin<'_>) {
    let text = if modifier {
        "This is a modifier extension. Put it into modifierExtension."
    } else {
        "This is no modifier extension. Put it into extension."
    };
    run.error(IssueCode::Extension, "extension-modifier", text.to_owned(), path, origin);
}

/// Reports a url that is a plain name outside a complex extension.
pub fn relative(run: &mut Run<'_, '_>, path: &Path<'_>) {
    let text =
        "Extension.url must be an absolute url; plain names are for the parts of a complex extension.".to_owned();
    run.error(IssueCode::Extension, "extension-url", text, path, EXTENSION);
}

/// Reports a url with a version: extensions are known by their url alone.
pub fn versioned(run: &mut Run<'_, '_>, path: &Path<'_>) {
    let text = "Extension.url must not have a version (|…): an extension is known by its url alone.".to_owned();
    run.error(IssueCode::Extension, "extension-url", text, &path.element("url"), EXTENSION);
}

/// Checks that a complex extension's definition lists the part.
pub fn part(run: &mut Run<'_, '_>, whole: &ProfileSchema, url: &str, path: &Path<'_>) {
    if whole.parts().any(|part| part == url) {
        return;
    }
    let hint = suggest::nearest(url, whole.parts()).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let text = format!("Extension {} has no part of this name.{hint}", whole.url);
    let origin = Origin { profile: &whole.url, element: "Extension.extension", base: false };
    run.error(IssueCode::Extension, "extension-unknown", text, path, origin);
}

/// Whether the extension may stand where it does.
#[must_use]
pub fn context_allows(run: &Run<'_, '_>, profile: &ProfileSchema, place: Place<'_, '_>) -> bool {
    let Some(holder) = place.holder else { return true };
    if profile.contexts.is_empty() {
        return true;
    }
    let types = run.validator.types();
    profile.contexts.iter().any(|context| match context {
        Context::Element(wanted, _) if wanted == "Element" => true,
        // A word of later versions of FHIR for what has a url of its own.
        Context::Element(wanted, _) if wanted == "CanonicalResource" => types.child(holder.type_, "url").is_some(),
        Context::Element(_, Some(wanted)) => types.is_subtype(holder.type_, *wanted),
        Context::Element(wanted, None) => {
            wanted.contains('.') && (holder.is_at(wanted) || path_through_types(run, place, wanted))
        }
        Context::Extension(wanted) => {
            let url = holder.value.and_then(|value| text(value, "url"));
            url == Some(wanted.as_str())
        }
        Context::Path(_, expression) => {
            holder.value.is_some_and(|value| invariant::selects(run, expression, value, place.scope))
        }
    })
}

/// A context such as `HumanName.given` or `ElementDefinition.binding`: a type, then elements.
fn path_through_types(run: &Run<'_, '_>, place: Place<'_, '_>, wanted: &str) -> bool {
    let types = run.validator.types();
    let mut rest = wanted;
    let mut holder = place.holder;
    while let Some(current) = holder {
        let Some((before, last)) = rest.rsplit_once('.') else {
            return types.get(rest).is_some_and(|index| types.is_subtype(current.type_, index));
        };
        if last.trim_end_matches("[x]") != current.name {
            return false;
        }
        rest = before;
        holder = current.parent;
    }
    false
}

/// Whether what the definition demands of the element with the extension holds.
#[must_use]
pub fn context_invariants_hold(run: &Run<'_, '_>, profile: &ProfileSchema, place: Place<'_, '_>) -> bool {
    let Some(holder) = place.holder else { return true };
    let focus = Focus { value: holder.value, sibling: None, type_: holder.type_ };
    profile.context_invariants.iter().all(|expression| invariant::holds(run, expression, focus, place.scope))
}

/// Reports an extension that may not stand where it does.
pub fn wrong_context(run: &mut Run<'_, '_>, profile: &ProfileSchema, place: Place<'_, '_>, origin: Origin<'_>) {
    let allowed: Vec<&str> = profile.contexts.iter().map(Context::text).collect();
    let text = format!("Extension {} may not stand here; it is for {}.", profile.url, allowed.join(", "));
    // The place is that of the element with the extension: `element.extension[0]` without its last two steps.
    let holder = place.path.parent().and_then(Path::parent).unwrap_or(place.path);
    run.error(IssueCode::Extension, "extension-context", text, holder, origin);
}
