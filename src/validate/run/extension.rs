//! An extension: which definition it follows, whether it may stand there, and what it may hold
//! (<https://hl7.org/fhir/R4/extensibility.html>).

use crate::fhir::issue::IssueCode;
use crate::fhir::member::text;

use crate::validate::rules::extension as rule;
use crate::validate::schema::ProfileSchema;

use super::{Focus, Origin, Overlay, Place, Range, Run};

impl<'v, 'a> Run<'v, 'a> {
    /// Finds the definition by url, reports what speaks against the extension, and adds the definition's nodes.
    pub(super) fn extension(
        &mut self,
        focus: Focus<'a>,
        range: Range,
        outer: Place<'_, 'a>,
        inner: Place<'_, 'a>,
    ) -> Range {
        let Some(url) = focus.value.and_then(|value| text(value, "url")) else {
            return range;
        };
        let is_modifier = inner.holder.is_some_and(|holder| holder.name == "modifierExtension");
        if !url.contains(':') {
            self.part(url, outer, inner);
            return range;
        }
        if url.contains('|') {
            rule::versioned(self, outer.path);
        }
        match self.validator.schemas().extension(url) {
            Some(Ok(profile)) => {
                self.known_extension(profile, url, is_modifier, outer);
                self.add_definition(profile, range)
            }
            Some(Err(issue)) => {
                self.issues.push(issue.clone());
                range
            }
            None => {
                rule::unknown(self, url, is_modifier, outer.path);
                range
            }
        }
    }

    fn add_definition(&mut self, profile: &'v ProfileSchema, range: Range) -> Range {
        let root = &profile.nodes[0];
        if self.overlays[range.start..range.end].iter().any(|overlay| std::ptr::eq(overlay.node, root)) {
            return range;
        }
        let start = self.overlays.len();
        self.overlays.extend_from_within(range.start..range.end);
        self.overlays.push(Overlay { profile, node: root });
        Range { start, end: self.overlays.len() }
    }

    fn known_extension(&mut self, profile: &'v ProfileSchema, url: &str, is_modifier: bool, outer: Place<'_, 'a>) {
        let origin = Origin { profile: &profile.url, element: "Extension", base: false };
        if profile.modifier != is_modifier {
            rule::wrong_kind(self, profile.modifier, outer.path, origin);
        }
        if profile.retired {
            let text = format!("Extension {url} is retired. Use what its definition names instead, if anything.");
            self.warn(IssueCode::BusinessRule, "extension-retired", text, outer.path, origin);
        }
        if !rule::context_allows(self, profile, outer) || !rule::context_invariants_hold(self, profile, outer) {
            rule::wrong_context(self, profile, outer, origin);
        }
    }

    /// A part of a complex extension: its url is a plain name that the definition of the whole lists.
    fn part(&mut self, url: &str, outer: Place<'_, 'a>, inner: Place<'_, 'a>) {
        let whole = inner
            .holder
            .and_then(|holder| holder.parent)
            .filter(|parent| parent.type_ == self.validator.known().extension);
        let Some(whole) = whole else {
            return rule::relative(self, outer.path);
        };
        let definition = whole
            .value
            .and_then(|value| text(value, "url"))
            .and_then(|whole| self.validator.schemas().extension(whole));
        if let Some(Ok(profile)) = definition {
            rule::part(self, profile, url, outer.path);
        }
    }
}
