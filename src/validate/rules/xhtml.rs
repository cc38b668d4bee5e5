//! `txt-1`, `txt-2`: the narrative is well-formed, harmless xhtml with some content
//! (<https://hl7.org/fhir/R4/narrative.html#xhtml>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;

use crate::validate::run::{Origin, Place, Run};

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Elements that a narrative may have.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// Attributes that narrative elements may have.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "color",
    "cols",
    "colspan",
    "compact",
    "coords",
    "datetime",
    "dir",
    "face",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rows",
    "rules",
    "scope",
    "shape",
    "size",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "target",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xml:space",
    "xmlns",
];

/// Checks the text of Narrative.div.
pub fn check<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(text) = value.as_str() else { return };
    let (rule, text) = match examine(text) {
        Ok(true) => return,
        Ok(false) => ("txt-2", "The narrative has no text and no image. Say something or leave it out."),
        Err(fault) => ("txt-1", fault),
    };
    run.error(IssueCode::Invariant, rule, text.to_owned(), place.path, origin);
}

/// Whether the narrative has content. Err: what is wrong with it.
fn examine(text: &str) -> Result<bool, &'static str> {
    let mut rest = text.trim();
    let mut open: Vec<&str> = Vec::new();
    let mut has_content = false;
    let mut has_root = false;
    while !rest.is_empty() {
        let Some(tag) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (words, after) = rest.split_at(end);
            check_text(words)?;
            if open.is_empty() {
                return Err("The narrative must be one div element; text stands outside it.");
            }
            has_content |= !words.trim().is_empty();
            rest = after;
            continue;
        };
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->").ok_or("A comment of the narrative does not end.")?.1;
        } else if tag.starts_with(['!', '?']) {
            return Err("The narrative has a declaration or processing instruction. Remove it.");
        } else if let Some(end) = tag.strip_prefix('/') {
            let (name, after) = end.split_once('>').ok_or("An end tag of the narrative does not end.")?;
            if open.pop() != Some(name.trim_end()) {
                return Err("The elements of the narrative do not nest: an end tag does not match.");
            }
            rest = after;
        } else {
            if open.is_empty() && has_root {
                return Err("The narrative must be one div element; there is more than one.");
            }
            let element = Tag::read(tag)?;
            element.check(!has_root)?;
            has_root = true;
            has_content |= element.name == "img";
            if !element.closed {
                open.push(element.name);
            }
            rest = element.after;
        }
    }
    if !open.is_empty() {
        return Err("An element of the narrative is not closed.");
    }
    if has_root { Ok(has_content) } else { Err("The narrative must be a div element.") }
}

/// A start tag.
struct Tag<'t> {
    name: &'t str,
    attributes: Vec<(&'t str, &'t str)>,
    closed: bool,
    after: &'t str,
}

impl<'t> Tag<'t> {
    /// Reads what stands after `<`.
    fn read(text: &'t str) -> Result<Self, &'static str> {
        const BROKEN: &str = "A start tag of the narrative is not well formed.";
        let end =
            text.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/')).ok_or(BROKEN)?;
        let (name, mut rest) = text.split_at(end);
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>") {
                return Ok(Self { name, attributes, closed: true, after });
            }
            if let Some(after) = rest.strip_prefix('>') {
                return Ok(Self { name, attributes, closed: false, after });
            }
            let (attribute, after) = rest.split_once('=').ok_or(BROKEN)?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or(BROKEN)?;
            let (value, after) = after[1..].split_once(quote).ok_or(BROKEN)?;
            let attribute = attribute.trim_end();
            if attribute.is_empty()
                || attribute.contains(|letter: char| letter.is_whitespace() || "<>\"'".contains(letter))
            {
                return Err(BROKEN);
            }
            if value.contains('<') {
                return Err("An attribute of the narrative contains <. Write &lt;.");
            }
            check_text(value)?;
            attributes.push((attribute, value));
            rest = after;
        }
    }

    fn check(&self, is_root: bool) -> Result<(), &'static str> {
        let namespace = self.attributes.iter().find(|(name, _)| *name == "xmlns").map(|(_, value)| *value);
        if is_root {
            if self.name != "div" {
                return Err("The narrative must be a div element.");
            }
            if namespace != Some(NAMESPACE) {
                return Err("The div of the narrative must be in the namespace http://www.w3.org/1999/xhtml.");
            }
        } else if namespace.is_some_and(|namespace| namespace != NAMESPACE) {
            return Err("The narrative has an element of another namespace.");
        }
        if !ELEMENTS.contains(&self.name) {
            return Err(
                "The narrative has an element that is not allowed (scripts, forms, frames, styles and the like).",
            );
        }
        for (name, value) in &self.attributes {
            if !ATTRIBUTES.contains(name) && !name.starts_with("xmlns:") {
                return Err("The narrative has an attribute that is not allowed (events and the like).");
            }
            if matches!(*name, "href" | "src") && value.trim_start().to_ascii_lowercase().starts_with("javascript:") {
                return Err("The narrative has a link that runs a script. Remove it.");
            }
        }
        Ok(())
    }
}

/// Entities must be those of XML, of xhtml, or numbers.
fn check_text(text: &str) -> Result<(), &'static str> {
    for after in text.split('&').skip(1) {
        let name = after.split_once(';').map(|(name, _)| name).unwrap_or_default();
        let fits = match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix('x') {
                Some(number) => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_hexdigit()),
                None => !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
            },
            None => matches!(name.len(), 2..=8) && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        };
        if !fits {
            return Err("The narrative has an & that begins no entity. Write &amp;.");
        }
    }
    Ok(())
}
