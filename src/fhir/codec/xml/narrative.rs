//! The XHTML of a narrative: in JSON a string, in XML markup. The text itself is carried over unchanged, so it has to be
//! well-formed before it may stand in a document. Called by the reader, the writer and the validator.

use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};

use super::XHTML_NAMESPACE;
use super::markup::{check_reference, check_start, check_text};

/// Checks that a text is one well-formed `div` element in the XHTML namespace and nothing beside it. The error says what
/// is wrong. Which elements may stand inside is for validation to check (invariant txt-1).
pub fn check(text: &str) -> Result<(), &'static str> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_comments = true;
    let mut depth = 0_usize;
    let mut closed = false;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| "the narrative is not well-formed XML.")?;
        let is_xhtml = namespace == ResolveResult::Bound(Namespace(XHTML_NAMESPACE));
        match event {
            Event::Start(_) if closed => return Err("the narrative has something after its div element."),
            Event::Start(start) => {
                check_start(&start, |_, _| {})?;
                let known = !matches!(namespace, ResolveResult::Unknown(_));
                if !known || (depth == 0 && !(is_xhtml && start.local_name().into_inner() == "div")) {
                    return Err(NOT_A_DIV);
                }
                depth += 1;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                closed = depth == 0;
            }
            Event::Eof if closed => return Ok(()),
            Event::Eof => return Err(NOT_A_DIV),
            event => check_content(&event, depth > 0)?,
        }
    }
}

const NOT_A_DIV: &str = "the narrative must be one div element: <div xmlns=\"http://www.w3.org/1999/xhtml\">…</div>.";

/// Checks what stands between tags; outside the div nothing may.
pub(super) fn check_content(event: &Event<'_>, inside: bool) -> Result<(), &'static str> {
    match event {
        Event::DocType(_) => Err("a DOCTYPE is not allowed. Remove it."),
        Event::Decl(_) => Err("an XML declaration is not allowed here. Remove it."),
        _ if !inside => Err("the narrative has something outside its div element."),
        Event::Text(text) => check_text(&text.borrow().into_inner()),
        Event::GeneralRef(name) => check_reference(&name.borrow().into_inner()),
        _ => Ok(()),
    }
}
