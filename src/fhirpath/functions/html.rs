//! What XHTML narrative may contain (<https://hl7.org/fhir/R4/narrative.html#xhtml>, txt-1 and txt-2). Called by
//! `htmlChecks()`.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::fhir::codec::xml::narrative;

const ELEMENTS: &str = " a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 \
     h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var ";
const ATTRIBUTES: &str = " abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign \
     char charoff charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang \
     longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign \
     value vspace width xml:lang xml:space xmlns ";

/// Whether the text is one well-formed `div` of allowed elements and attributes that says or shows something.
pub(super) fn is_allowed(text: &str) -> bool {
    narrative::check(text).is_ok() && has_content(text) == Some(true)
}

/// Nothing where an element or attribute is not allowed, otherwise whether there is text or an image.
fn has_content(text: &str) -> Option<bool> {
    let mut reader = Reader::from_str(text);
    let mut content = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => content |= element(&start)?,
            Event::Text(text) => content |= !text.trim().is_empty(),
            Event::CData(data) => content |= !data.trim().is_empty(),
            Event::GeneralRef(_) => content = true,
            Event::End(_) | Event::Comment(_) => {}
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => return None,
            Event::Eof => return Some(content),
        }
    }
}

/// Nothing where the element or an attribute is not allowed, otherwise whether it shows something by itself.
fn element(start: &BytesStart<'_>) -> Option<bool> {
    let name = start.name();
    if !listed(ELEMENTS, name.as_ref()) {
        return None;
    }
    for attribute in start.attributes() {
        if !listed(ATTRIBUTES, attribute.ok()?.key.as_ref()) {
            return None;
        }
    }
    Some(name.as_ref() == "img")
}

fn listed(list: &str, name: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == name)
}
