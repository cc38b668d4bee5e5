//! What became of a load, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::source::{Item, Unreadable};
use crate::fhir::issue::operation_outcome;
use crate::interactions::reply::{Content, Reply};

/// Refusals that the text shows one by one; the JSON has them all.
const SHOWN: usize = 50;

/// The summary of a load.
#[derive(Debug, Default)]
pub struct Report {
    /// Resources that are new.
    pub created: usize,
    /// Resources that existed and have a new version, or were found as they are.
    pub updated: usize,
    /// Writes that ended without an answer, by a fault of the server.
    pub lost: usize,
    /// Stored resources by type.
    pub types: BTreeMap<String, usize>,
    /// What was refused.
    pub refused: Vec<Refusal>,
    /// Warnings and, where validation only reports, errors of stored resources, by rule.
    pub warnings: BTreeMap<String, usize>,
    /// How long it took.
    pub microseconds: i64,
}

/// One refusal.
#[derive(Debug)]
pub struct Refusal {
    /// File, with line or entry.
    pub source: String,
    /// `Type/id`, where it can be told.
    pub resource: String,
    /// HTTP status that the server gave or would give.
    pub status: u16,
    /// Why.
    pub outcome: Value,
}

impl Report {
    /// Resources that are in the database now.
    #[must_use]
    pub const fn stored(&self) -> usize {
        self.created + self.updated
    }

    /// Adds what the server answered to an item.
    pub fn add(&mut self, item: &Item, reply: &Reply) {
        if reply.status >= 400 {
            return self.refuse(&item.source, item.path.join("/"), reply.status, content(reply));
        }
        for issue in item.warnings.iter().chain(&reply.issues) {
            *self.warnings.entry(issue.rule.clone()).or_default() += 1;
        }
        match item.path.first() {
            Some(name) => self.count(name, reply.status),
            None => self.add_bundle(&item.source, &content(reply)),
        }
    }

    /// Adds a text in which there was no resource.
    pub fn unreadable(&mut self, unreadable: Unreadable) {
        let Unreadable { source, problem } = unreadable;
        self.refuse(&source, String::new(), problem.kind.status(), operation_outcome(problem.issues()));
    }

    /// Adds the answers to the entries of a batch or transaction.
    fn add_bundle(&mut self, source: &str, bundle: &Value) {
        let entries = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (number, entry) in entries.iter().enumerate() {
            let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let status =
                text("/response/status").split(' ').next().and_then(|status| status.parse().ok()).unwrap_or(500);
            let location = text("/response/location");
            if status >= 400 {
                let outcome = entry.pointer("/response/outcome").cloned().unwrap_or_default();
                self.refuse(&format!("{source}, entry {}", number + 1), String::new(), status, outcome);
            } else if let Some((path, _)) = location.split_once("/_history/") {
                let name = path.rsplit('/').nth(1).unwrap_or_default();
                self.count(name, status);
            }
        }
    }

    fn count(&mut self, resource_type: &str, status: u16) {
        *self.types.entry(resource_type.to_owned()).or_default() += 1;
        if status == 201 {
            self.created += 1;
        } else {
            self.updated += 1;
        }
    }

    fn refuse(&mut self, source: &str, resource: String, status: u16, outcome: Value) {
        self.refused.push(Refusal { source: source.to_owned(), resource, status, outcome });
    }

    /// How often each rule refused something, with the number of resources it concerned.
    fn rules(&self) -> BTreeMap<String, usize> {
        let mut rules = BTreeMap::new();
        for refusal in &self.refused {
            let mut names: Vec<String> = errors(&refusal.outcome).map(rule).collect();
            names.sort();
            names.dedup();
            for name in names {
                *rules.entry(name).or_default() += 1;
            }
        }
        rules
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let refused = |refusal: &Refusal| {
            json!({
                "source": refusal.source, "resource": refusal.resource, "status": refusal.status,
                "outcome": refusal.outcome
            })
        };
        json!({
            "stored": self.stored(), "created": self.created, "updated": self.updated, "lost": self.lost,
            "microseconds": self.microseconds, "types": self.types, "warnings": self.warnings,
            "refusedByRule": self.rules(), "refused": self.refused.iter().map(refused).collect::<Vec<Value>>()
        })
    }

    /// The report for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let (seconds, tenths) = (self.microseconds / 1_000_000, self.microseconds / 100_000 % 10);
        let _ = writeln!(
            text,
            "{} stored ({} new, {} updated), {} refused, in {seconds}.{tenths} s",
            self.stored(),
            self.created,
            self.updated,
            self.refused.len()
        );
        if self.lost > 0 {
            let _ = writeln!(text, "{} writes failed by a fault of the server; see the lines above", self.lost);
        }
        text.push_str("References were not checked: what they name may be in a file yet to come\n");
        table(&mut text, "Stored, by type:", &self.types);
        table(&mut text, "Noticed in stored resources, by rule:", &self.warnings);
        table(&mut text, "Refused, by rule (resources):", &self.rules());
        self.refusals(&mut text);
        text.trim_end().to_owned()
    }

    fn refusals(&self, text: &mut String) {
        for refusal in self.refused.iter().take(SHOWN) {
            let resource = spaced(&refusal.resource);
            let _ = writeln!(text, "\n{}{resource} ({})", refusal.source, refusal.status);
            for issue in errors(&refusal.outcome) {
                let place = issue.pointer("/expression/0").and_then(Value::as_str).unwrap_or_default();
                let what = issue.get("diagnostics").and_then(Value::as_str).unwrap_or_default();
                let _ = writeln!(text, "  {}{}: {what}", rule(issue), spaced(place));
            }
        }
        if self.refused.len() > SHOWN {
            let _ = writeln!(text, "\n… and {} more; --format json lists them all", self.refused.len() - SHOWN);
        }
    }
}

/// The text after a space, or nothing.
fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {text}") }
}

fn table(text: &mut String, heading: &str, rows: &BTreeMap<String, usize>) {
    if rows.is_empty() {
        return;
    }
    let width = rows.keys().map(String::len).max().unwrap_or(0);
    let _ = writeln!(text, "\n{heading}");
    for (name, count) in rows {
        let _ = writeln!(text, "  {name:width$}  {count:>6}");
    }
}

fn content(reply: &Reply) -> Value {
    match &reply.content {
        Content::Resource(value) => value.clone(),
        _ => Value::Null,
    }
}

/// The issue codes of an answer.
pub fn issue_codes(reply: &Reply) -> Vec<String> {
    let Content::Resource(outcome) = &reply.content else { return Vec::new() };
    let code = |issue: &Value| issue.get("code").and_then(Value::as_str).map(str::to_owned);
    errors(outcome).filter_map(code).collect()
}

/// The issues of an OperationOutcome that are errors.
fn errors(outcome: &Value) -> impl Iterator<Item = &Value> {
    let issues = outcome.get("issue").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_error = |issue: &&Value| matches!(issue.get("severity").and_then(Value::as_str), Some("error" | "fatal"));
    issues.iter().filter(is_error)
}

/// The rule that an issue names, or its code.
fn rule(issue: &Value) -> String {
    let named = issue.pointer("/details/coding/0/code").or_else(|| issue.get("code"));
    named.and_then(Value::as_str).unwrap_or_default().to_owned()
}
