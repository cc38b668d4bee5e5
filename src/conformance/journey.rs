//! The data model of a journey file (`fixtures/journeys/README.md` describes it for people).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A sequence of requests that belong together.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Journey {
    /// Short name, the same as the file's.
    pub journey: String,
    /// One line for people.
    pub title: String,
    /// What happens, in a sentence or two.
    pub description: String,
    /// The requests, in order.
    pub steps: Vec<Step>,
}

/// One request and what it must answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// What happens, for the report; method and path where it says nothing.
    #[serde(default)]
    pub name: String,
    /// Who does it (`gp`, `provider` …); a transport chooses credentials by it.
    #[serde(rename = "as", default)]
    pub actor: String,
    /// HTTP method.
    pub method: String,
    /// Path and query below the base, without a leading slash; empty for the base itself.
    pub path: String,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What to send: a resource, or a text that is sent as it is written.
    #[serde(default)]
    pub body: Option<Value>,
    /// A file with the resource to send, relative to the journey file.
    #[serde(default)]
    pub body_file: Option<String>,
    /// The resource to send is a saved one with changes.
    #[serde(default)]
    pub change: Option<Change>,
    /// What must come back.
    pub expect: Expect,
    /// Keeps the answer's body under this name.
    #[serde(default)]
    pub save: Option<String>,
    /// Keeps parts of the answer under these names.
    #[serde(default)]
    pub capture: BTreeMap<String, Capture>,
}

/// A change of a saved resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The name it was saved under.
    pub resource: String,
    /// A JSON Merge Patch (RFC 7396) to apply.
    pub set: Value,
}

/// What an answer must be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// One of these status codes.
    pub status: Vec<u16>,
    /// Headers; `*` stands for any text.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers that must not be there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// FHIRPath expressions on the body, each of which must be true.
    #[serde(default)]
    pub fhirpath: Vec<String>,
    /// The matches of a search, as `Type/id`, in any order.
    #[serde(default)]
    pub matches: Option<Vec<String>>,
    /// The matches of a search, as `Type/id`, in this order.
    #[serde(default)]
    pub sequence: Option<Vec<String>>,
    /// What a search includes with its matches, as `Type/id`, in any order.
    #[serde(default)]
    pub included: Option<Vec<String>>,
    /// What the body must look like as text; `*` stands for any text.
    #[serde(default)]
    pub text: Vec<String>,
    /// True where there must be no body.
    #[serde(default)]
    pub empty: bool,
}

/// Where a captured value comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Capture {
    /// A FHIRPath expression on the body with one result.
    Fhirpath(String),
    /// A FHIRPath expression whose one result is an address; kept as `Type/id`.
    Reference(String),
    /// A header.
    Header(String),
}

impl Step {
    /// The name for people.
    #[must_use]
    pub fn title(&self) -> String {
        if self.name.is_empty() { format!("{} {}", self.method, self.path) } else { self.name.clone() }
    }
}

impl Journey {
    /// Reads a journey file. `read` opens the files that its steps name.
    ///
    /// # Errors
    /// A sentence that says which journey or file cannot be understood, and why.
    pub fn parse(text: &str, read: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        let mut journey: Self = serde_json::from_str(text).map_err(|error| format!("not a journey: {error}"))?;
        for step in &mut journey.steps {
            if let Some(file) = &step.body_file {
                let content = read(file)?;
                let body = serde_json::from_str(&content).map_err(|error| format!("{file} is not JSON: {error}"))?;
                step.body = Some(body);
            }
        }
        Ok(journey)
    }
}
