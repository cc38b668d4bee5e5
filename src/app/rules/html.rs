//! The page of all rules for browsers: each rule is a section whose id is that of the rule, so that issues can lead to it.

use std::fmt::Write;

use super::{Shown, allowed, pretty};

/// The look of the page; it loads nothing.
const STYLE: &str = "body{max-width:60em;margin:2em auto;padding:0 1em;font-family:sans-serif;line-height:1.5}\
     pre{background:#f3f3f3;padding:1em;overflow:auto}h2{margin-top:2.5em}:target{background:#fff6d0}";

/// The page.
pub(super) fn page(rules: &[Shown]) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Validation rules of Kith</title>\
         <style>{STYLE}</style></head><body><h1>Validation rules of Kith {}</h1>\n",
        env!("CARGO_PKG_VERSION")
    );
    for rule in rules {
        section(&mut page, rule);
    }
    page.push_str("</body></html>\n");
    page
}

fn section(page: &mut String, Shown { entry, issue }: &Shown) {
    let text = entry.example.text.clone().unwrap_or_default();
    let example = entry.example.resource.as_ref().map_or(text, pretty);
    let asked = entry.example.profile.as_ref().map_or_else(String::new, |url| format!(", validated against {url}"));
    let _ = write!(
        page,
        "<section id=\"{id}\"><h2><a href=\"#{id}\">{id}</a></h2><p>{finds}</p>\
         <p>Level: {severity}; {change}. Specification: <a href=\"{link}\">{link}</a></p>",
        id = escaped(&entry.id),
        finds = escaped(&entry.finds),
        severity = escaped(&entry.severity),
        change = allowed(entry.change),
        link = escaped(&entry.specification)
    );
    for definition in &entry.example.definitions {
        let _ = write!(page, "<p>With this definition:</p><pre>{}</pre>", escaped(&pretty(definition)));
    }
    if let Some(needs) = &entry.example.needs {
        let _ = write!(page, "<p>With {} loaded:</p>", escaped(needs));
    }
    let _ = write!(page, "<p>Example{}:</p><pre>{}</pre>", escaped(&asked), escaped(&example));
    if let Some(issue) = issue {
        let place = issue.expression.as_deref().map_or_else(String::new, |place| format!(" at {place}"));
        let _ = write!(page, "<p>{}{}: {}</p>", issue.severity.code(), escaped(&place), escaped(&issue.text));
    }
    page.push_str("</section>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
