//! Parsing of the parameters of a search (<https://hl7.org/fhir/R4/search.html>). Collects every fault, not the first only.

use super::fault::{self, Fault};
use super::result::{self, Settings};
use super::{Condition, Query, chain, expression, filter};
use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::search::parameters::Registry;

/// What to do with parameters that are not known (<https://hl7.org/fhir/R4/search.html#errors>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handling {
    /// Pass over them, say so in the answer and leave them out of the self link.
    #[default]
    Lenient,
    /// Refuse the search.
    Strict,
}

/// What parsing needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The search parameters.
    pub registry: &'a Registry,
    /// Base URL of this server without a slash at its end.
    pub base: &'a str,
    /// The current instant, for the `ap` prefix of dates.
    pub now: Micros,
    /// What to do with unknown parameters.
    pub handling: Handling,
}

/// The most parameters that one search may have.
const MOST: usize = 200;

/// Most values of all parameters together, alternatives counted.
const MOST_VALUES: usize = 2000;

/// Parameters that steer the answer's format; read by the HTTP shell, part of the self link.
const FORMAT: [&str; 2] = ["_format", "_pretty"];

/// Parses decoded `parameters` of a search on `resource_type`. 400 with an issue for each fault.
pub fn parse(resource_type: &str, parameters: &[(String, String)], context: &Context<'_>) -> Result<Query, Problem> {
    if parameters.len() > MOST {
        let text = format!("A search may have at most {MOST} parameters.");
        return Err(Problem::new(Kind::Invalid, text).at("http.query"));
    }
    let values: usize = parameters.iter().map(|(_, value)| value.matches(',').count() + 1).sum();
    if values > MOST_VALUES {
        let text = format!("A search may have at most {MOST_VALUES} values, those of all parameters together.");
        let issue = Issue::new(Severity::Error, IssueCode::TooCostly, "search-too-costly", text).at("http.query");
        return Err(Problem::with_issues(Kind::Invalid, vec![issue]));
    }
    let mut state = State::default();
    for (name, value) in parameters {
        match state.take(resource_type, name, value, context) {
            Ok(()) => state.understood.push((name.clone(), value.clone())),
            Err(Fault::Unknown(issue)) if context.handling == Handling::Lenient => {
                state.warnings.push(passed_over(*issue));
            }
            Err(Fault::Unknown(issue) | Fault::Wrong(issue)) => state.errors.push(*issue),
        }
    }
    if !state.errors.is_empty() {
        return Err(Problem::with_issues(Kind::Invalid, state.errors));
    }
    Ok(state.into_query(resource_type))
}

fn passed_over(mut issue: Issue) -> Issue {
    issue.severity = Severity::Warning;
    issue.text.push_str(" The parameter was passed over; send `Prefer: handling=strict` to have it refused.");
    issue
}

#[derive(Default)]
struct State {
    settings: Settings,
    conditions: Vec<Condition>,
    understood: Vec<(String, String)>,
    warnings: Vec<Issue>,
    errors: Vec<Issue>,
}

impl State {
    fn take(&mut self, resource_type: &str, name: &str, value: &str, context: &Context<'_>) -> Result<(), Fault> {
        if FORMAT.contains(&name) {
            return Ok(());
        }
        if value.is_empty() {
            return Err(fault::empty(name));
        }
        if result::is_setting(name) {
            return self.settings.take(resource_type, name, value, context);
        }
        let target = Target { resource_type, key: name, value, ways: 1, name };
        self.conditions.push(condition(&target, context, 0)?);
        Ok(())
    }

    fn into_query(self, resource_type: &str) -> Query {
        Query {
            resource_type: resource_type.to_owned(),
            conditions: self.conditions,
            sort: self.settings.sort,
            count: self.settings.count,
            total: self.settings.total,
            summary: self.settings.summary,
            elements: self.settings.elements,
            includes: self.settings.includes,
            page: self.settings.page,
            understood: self.understood,
            warnings: self.warnings,
        }
    }
}

/// One condition to parse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// The type it is about.
    pub(super) resource_type: &'a str,
    /// What remains of the parameter's name: code, modifier, chain.
    pub(super) key: &'a str,
    /// The value.
    pub(super) value: &'a str,
    /// In how many ways a chain has come here.
    pub(super) ways: usize,
    /// The whole name, for issues.
    pub(super) name: &'a str,
}

/// The deepest nesting of chains.
pub(super) const DEEPEST: usize = 8;

/// A condition with whatever chaining its key has.
pub(super) fn condition(target: &Target<'_>, context: &Context<'_>, depth: usize) -> Result<Condition, Fault> {
    if depth > DEEPEST {
        return Err(fault::usage(target.name, format!("Chains may be at most {DEEPEST} references deep.")));
    }
    if let Some(rest) = target.key.strip_prefix("_has:") {
        return chain::has(target, rest, context, depth);
    }
    if target.key == "_filter" {
        return expression::condition(target, context, depth);
    }
    match target.key.split_once('.') {
        Some((first, rest)) => chain::chain(target, first, rest, context, depth),
        None => filter::condition(target, context),
    }
}
