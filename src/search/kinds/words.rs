//! Words of a whole resource: `_text` over the narrative, `_content` over everything
//! (<https://hl7.org/fhir/R4/search.html#content>). One row of folded words a resource is cheap to write; a search reads those
//! of the type, or only those that its other parameters leave.

use serde_json::Value;

use super::Sink;
use crate::search::fold::add_words;
use crate::search::index::TextRow;
use crate::search::sql::builder::Sql;

/// What is asked of the words of a resource: that this run of words is among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The words with spaces around them; without the last space where the last word is only a beginning.
    pub run: String,
}

/// The row of the narrative.
pub(crate) fn index_narrative(resource: &Value, sink: &mut Sink<'_>) {
    let markup = resource.get("text").and_then(|text| text.get("div")).and_then(Value::as_str);
    let mut words = String::new();
    add_words(&plain(markup.unwrap_or_default()), &mut words);
    add(words, sink);
}

/// The row of every text outside the narrative: urls, urns and encoded data are left out, since nobody looks for their words.
pub(crate) fn index_content(resource: &Value, sink: &mut Sink<'_>) {
    let mut words = String::new();
    for (name, value) in resource.as_object().into_iter().flatten() {
        if name != "text" && name != "resourceType" {
            collect(name, value, &mut words);
        }
    }
    add(words, sink);
}

fn add(mut words: String, sink: &mut Sink<'_>) {
    if !words.is_empty() {
        words.push(' ');
        sink.rows.texts.push(TextRow { parameter: sink.codes.own.clone(), words });
    }
}

fn collect(name: &str, value: &Value, words: &mut String) {
    match value {
        Value::String(text) if is_prose(name, text) => add_words(text, words),
        Value::Number(number) => add_words(number.as_str(), words),
        Value::Array(items) => items.iter().for_each(|item| collect(name, item, words)),
        Value::Object(members) => members.iter().for_each(|(name, member)| collect(name, member, words)),
        _ => {}
    }
}

fn is_prose(name: &str, text: &str) -> bool {
    // The server sets the last two anew with every version.
    let encoded = matches!(name, "data" | "hash" | "valueBase64Binary" | "div" | "versionId" | "lastUpdated");
    let address = !text.contains(' ') && (text.contains("://") || text.starts_with("urn:"));
    !encoded && !address
}

/// The text of XHTML: markup becomes spaces, entities of XML what they stand for.
fn plain(markup: &str) -> String {
    let mut text = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    if !text.contains('&') {
        return text;
    }
    quick_xml::escape::unescape(&text).map(std::borrow::Cow::into_owned).unwrap_or(text)
}

impl Words {
    /// The words of `text`, in this order; its last word may be the beginning of one where `text` ends with an asterisk.
    /// None without any word.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut run = String::new();
        add_words(text, &mut run);
        if run.is_empty() {
            return None;
        }
        if !text.ends_with('*') {
            run.push(' ');
        }
        Some(Self { run })
    }

    /// See [`super::Criterion::condition`]. Words hold letters and digits only, so nothing in them is a wildcard.
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        sql.push(&format!("{alias}.words like ")).text(&format!("%{}%", self.run));
    }
}
