//! What XHTML narrative may contain (<https://hl7.org/fhir/R4/narrative.html#xhtml>, txt-1 and txt-2). Called by
//! `htmlChecks()`.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

const ELEMENTS: &str = " a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 \
     h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var ";
const ATTRIBUTES: &str = " abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign \
     char charoff charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang \
     longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign \
     value vspace width xml:lang xml:space xmlns ";
const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Whether the text is one well-formed `div` of allowed elements and attributes that says or shows something.
pub(super) fn is_allowed(text: &str) -> bool {
    check(text) == Some(true)
}

/// Nothing where the text is not allowed, otherwise whether it has content.
fn check(text: &str) -> Option<bool> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots, mut content) = (0_u32, 0_u32, false);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                roots += u32::from(depth == 0);
                content |= element(&start, depth)?;
                depth += 1;
            }
            Event::Empty(start) => {
                roots += u32::from(depth == 0);
                content |= element(&start, depth)?;
            }
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::Text(text) => {
                let blank = text.trim().is_empty();
                if depth == 0 && !blank {
                    return None;
                }
                content |= !blank;
            }
            Event::GeneralRef(_) => content = true,
            Event::CData(data) => content |= !data.trim().is_empty(),
            Event::Comment(_) => {}
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => return None,
            Event::Eof => return (depth == 0 && roots == 1).then_some(content),
        }
    }
}

/// Nothing where the element or an attribute is not allowed, otherwise whether it shows something by itself.
fn element(start: &BytesStart<'_>, depth: u32) -> Option<bool> {
    let name = start.name();
    let name = name.as_ref();
    if (depth == 0 && name != "div") || !listed(ELEMENTS, name) {
        return None;
    }
    let mut namespace = false;
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let key = attribute.key.as_ref();
        if !listed(ATTRIBUTES, key) {
            return None;
        }
        namespace |= key == "xmlns" && attribute.value.as_ref() == NAMESPACE;
    }
    (depth > 0 || namespace).then_some(name == "img")
}

fn listed(list: &str, name: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == name)
}
