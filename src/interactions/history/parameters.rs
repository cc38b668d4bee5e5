//! The parameters of a history (<https://hl7.org/fhir/R4/http.html#history>): `_count`, `_since`, `_at`, and those that shape
//! every answer. Read by `history`.

use serde_json::{Value, json};

use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::temporal::DateTime;
use crate::interactions::header;
use crate::interactions::request::Request;
use crate::interactions::subset::Subset;
use crate::problem::{Kind, Problem};
use crate::search::query::Summary;
use crate::search::query::result::PAGE;

/// Versions on a page where the client does not say.
const DEFAULT_COUNT: usize = 50;
/// Most versions on a page.
const LARGEST_COUNT: usize = 500;

/// What is asked for.
#[derive(Debug)]
pub struct Parameters {
    /// Versions on a page; 0 asks for the total only.
    pub count: usize,
    /// `_since`.
    pub since: Option<Micros>,
    /// Only versions made at or before this instant.
    pub until: Micros,
    /// Only versions not yet replaced at this instant.
    pub current_after: Option<Micros>,
    /// What of each version is shown.
    pub subset: Subset,
    /// The continuation token of a paging link.
    pub page: Option<String>,
    /// What was understood, as the self link shows it.
    pub understood: Vec<(String, String)>,
    /// What was passed over.
    pub warnings: Vec<Issue>,
}

impl Parameters {
    /// Reads a request. 400 with an issue for each parameter that cannot be used; an unknown one is passed over unless
    /// handling is strict.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        let mut parameters = Self {
            count: DEFAULT_COUNT,
            since: None,
            until: Micros::MAX,
            current_after: None,
            subset: Subset::of(request)?,
            page: None,
            understood: Vec::new(),
            warnings: Vec::new(),
        };
        let mut errors = Vec::new();
        for (name, value) in &request.query {
            let repeated = parameters.understood.iter().any(|(seen, _)| seen == name);
            let taken = if repeated { Err(wrong(name, "given only once")) } else { parameters.take(name, value) };
            match taken {
                Ok(()) => parameters.understood.push((name.clone(), value.clone())),
                Err(issue) if issue.code == IssueCode::NotSupported && !request.headers.strict => {
                    parameters.warnings.push(Issue { severity: Severity::Warning, ..issue });
                }
                Err(issue) => errors.push(issue),
            }
        }
        if parameters.subset.summary == Some(Summary::Count) {
            parameters.count = 0;
        }
        if errors.is_empty() { Ok(parameters) } else { Err(Problem::with_issues(Kind::Invalid, errors)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Issue> {
        match name {
            "_count" => {
                let count: usize = value.parse().map_err(|_| wrong(name, "a whole number"))?;
                self.count = count.min(LARGEST_COUNT);
            }
            "_since" => {
                let since = header::instant(value).ok_or_else(|| wrong(name, "an instant with a time zone"))?;
                self.since = Some(since);
            }
            "_at" => {
                // In a query string a plus sign means a space: `+01:00` often arrives that way.
                let at = DateTime::parse_partial(&value.replace(' ', "+"));
                let (low, high) = at.map_err(|_| wrong(name, "a date, or a date with a time and zone"))?.interval();
                self.until = high - 1;
                self.current_after = Some(low);
            }
            "_sort" if value == "-_lastUpdated" => {}
            "_sort" => return Err(wrong(name, "-_lastUpdated: a history is sorted newest first")),
            "_list" => return Err(Issue::new(Severity::Error, IssueCode::Value, "history-list", LIST).at(place(name))),
            PAGE => self.page = Some(value.to_owned()),
            "_format" | "_pretty" | "_summary" | "_elements" => {}
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// What ties a paging link to its history: the address and everything that chooses versions.
    #[must_use]
    pub fn fingerprint(&self, address: &str) -> String {
        let chooses = |name: &str| matches!(name, "_since" | "_at");
        let kept: Vec<&(String, String)> = self.understood.iter().filter(|(name, _)| chooses(name)).collect();
        json!(["history", address, kept]).to_string()
    }
}

const LIST: &str = "A history restricted to the members of a List is not offered. Leave `_list` out.";

fn place(name: &str) -> String {
    format!("http.query.{name}")
}

fn wrong(name: &str, expected: &str) -> Issue {
    Issue::new(Severity::Error, IssueCode::Value, "history-parameter", format!("{name} must be {expected}."))
        .at(place(name))
}

fn unknown(name: &str) -> Issue {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    let text = "A history has no such parameter. Allowed: _count, _since, _at, _format, _pretty, _summary, _elements.";
    Issue::new(Severity::Error, IssueCode::NotSupported, "history-unknown-parameter", text).at(place(&shown))
}

/// Where a page ended.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    /// `last_updated` and `sequence` of the last version shown.
    pub after: (Micros, i64),
    /// When the newest version of the first page was made.
    pub until: Micros,
    /// How many versions all pages have.
    pub total: i64,
}

impl Cursor {
    /// As it stands in a token.
    #[must_use]
    pub const fn parts(&self) -> [i64; 4] {
        [self.after.0, self.after.1, self.until, self.total]
    }

    /// Reads the content of a token.
    pub fn read(value: &Value) -> Result<Self, Problem> {
        let part = |at: usize| value.get(at).and_then(Value::as_i64);
        match (part(0), part(1), part(2), part(3)) {
            (Some(updated), Some(sequence), Some(until), Some(total)) => {
                Ok(Self { after: (updated, sequence), until, total })
            }
            _ => Err(Problem::new(Kind::Invalid, "This paging link is damaged.").at("http.query._page")),
        }
    }
}
