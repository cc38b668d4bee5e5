//! Every rule that validation knows by itself (invariants of definitions have their own keys): what it finds, how bad that
//! is, whether a deployment may decide otherwise, and an example that breaks it. Read by `levels`, `kith rules`, `kith
//! validate` and `$validation-rules`.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

/// What a deployment may do with the level of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Nothing: what breaks the rule cannot be processed.
    Never,
    /// Choose another level, so long as the breach is reported.
    Report,
    /// Choose any level, `off` included.
    Any,
}

impl Change {
    /// As a code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Report => "report",
            Self::Any => "any",
        }
    }
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// Id, as issues carry it.
    pub id: String,
    /// Severity where nothing else is chosen, as a FHIR code.
    pub severity: String,
    /// What a deployment may do with it.
    pub change: Change,
    /// What it finds, in one or two sentences.
    pub finds: String,
    /// Where the specification says so.
    pub specification: String,
    /// What breaks it.
    pub example: Example,
}

/// Content that breaks a rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Example {
    /// The resource, where the text can be read.
    pub resource: Option<Value>,
    /// The text, where it cannot.
    pub text: Option<String>,
    /// What must be loaded that this server does not bring along.
    pub needs: Option<String>,
    /// A profile that is asked for.
    pub profile: Option<String>,
    /// Definitions that are loaded besides those of the server.
    #[serde(default)]
    pub definitions: Vec<Value>,
}

/// Every rule, by subject.
#[must_use]
pub fn all() -> &'static [Entry] {
    static ALL: OnceLock<Vec<Entry>> = OnceLock::new();
    // A list that cannot be read is empty, which tests find.
    ALL.get_or_init(|| serde_json::from_str(include_str!("rules.json")).unwrap_or_default())
}

/// The rule with an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Entry> {
    all().iter().find(|entry| entry.id == id)
}
