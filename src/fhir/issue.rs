//! One finding about a resource or a request, as OperationOutcome.issue carries it. Validation, codecs, search and the
//! referral rules all produce these; `Problem` and `$validate` show them.

use serde_json::{Value, json};

use super::specification;

/// How bad an issue is (<https://hl7.org/fhir/R4/valueset-issue-severity.html>). Ordered from worst to mildest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The check could not go on.
    Fatal,
    /// The content is not acceptable.
    Error,
    /// Acceptable, and probably not what was meant.
    Warning,
    /// For information only.
    Information,
}

impl Severity {
    /// The FHIR code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

macro_rules! issue_codes {
    ($($name:ident => $code:literal),* $(,)?) => {
        /// The kind of an issue (<https://hl7.org/fhir/R4/valueset-issue-type.html>), as far as this server uses them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum IssueCode {
            $(#[doc = concat!("`", $code, "`")] $name),*
        }

        impl IssueCode {
            /// The FHIR code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

issue_codes! {
    Invalid => "invalid", Structure => "structure", Required => "required", Value => "value", Invariant => "invariant",
    Security => "security", Login => "login", Unknown => "unknown", Expired => "expired", Forbidden => "forbidden",
    Suppressed => "suppressed", Processing => "processing", NotSupported => "not-supported", Duplicate => "duplicate",
    MultipleMatches => "multiple-matches", NotFound => "not-found", Deleted => "deleted", TooLong => "too-long",
    CodeInvalid => "code-invalid", Extension => "extension", TooCostly => "too-costly", BusinessRule => "business-rule",
    Conflict => "conflict", Transient => "transient", Timeout => "timeout", Throttled => "throttled",
    Exception => "exception", Informational => "informational",
}

/// One finding. `text` never contains a patient's values: it names kinds, limits, codes of definitions and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub code: IssueCode,
    /// Stable id of the rule that was broken, for example `cardinality-min` or an invariant's key; empty where none applies.
    pub rule: String,
    /// FHIRPath expression of the element, for example `Patient.name[0].given[1]`; `http.…` for headers and parameters.
    pub expression: Option<String>,
    /// Canonical of the profile that asked for it.
    pub profile: Option<String>,
    /// Id of the element definition in that profile, for example `Task.identifier:official.value`.
    pub element: Option<String>,
    /// What was found, what is allowed, what to do.
    pub text: String,
}

impl Issue {
    /// An issue without a place; [`Issue::at`] and [`Issue::asked_by`] add it.
    #[must_use]
    pub fn new(severity: Severity, code: IssueCode, rule: impl Into<String>, text: impl Into<String>) -> Self {
        Self { severity, code, rule: rule.into(), expression: None, profile: None, element: None, text: text.into() }
    }

    /// Sets the FHIRPath expression.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// Sets the profile and the element definition that asked.
    #[must_use]
    pub fn asked_by(mut self, profile: impl Into<String>, element: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self.element = Some(element.into());
        self
    }

    /// True for `error` and `fatal`.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Fatal | Severity::Error)
    }

    /// The issue as an element of OperationOutcome.issue.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut issue = json!({});
        if let Some(page) = self.specification() {
            issue["extension"] = json!([{ "url": SPECIFICATION, "valueUrl": page }]);
        }
        issue["severity"] = self.severity.code().into();
        issue["code"] = self.code.code().into();
        if !self.rule.is_empty() {
            issue["details"] = json!({ "coding": [{ "system": RULE_SYSTEM, "code": self.rule }] });
        }
        issue["diagnostics"] = Value::String(self.diagnostics());
        if let Some(expression) = &self.expression {
            issue["expression"] = json!([expression]);
        }
        issue
    }

    /// Where the definition that asked can be read.
    #[must_use]
    pub fn specification(&self) -> Option<String> {
        self.profile.as_deref().map(|profile| specification::page(profile, self.element.as_deref()))
    }

    fn diagnostics(&self) -> String {
        match (&self.profile, &self.element) {
            (Some(profile), Some(element)) => format!("{} (asked by {profile}, element {element})", self.text),
            (Some(profile), None) => format!("{} (asked by {profile})", self.text),
            _ => self.text.clone(),
        }
    }
}

/// Code system of the rule ids in OperationOutcome.issue.details.
pub const RULE_SYSTEM: &str = "https://kith.example/fhir/CodeSystem/kith-rule";

/// Extension of an issue: the page about the definition that asked.
pub const SPECIFICATION: &str = "https://kith.example/fhir/StructureDefinition/kith-issue-specification";

/// Extension of an issue: the page about the rule.
pub const RULE_PAGE: &str = "https://kith.example/fhir/StructureDefinition/kith-issue-rule";

/// An OperationOutcome of these issues; an empty list becomes one informational "all fine" issue, since issue is 1..*.
#[must_use]
pub fn operation_outcome(issues: &[Issue]) -> Value {
    let list: Vec<Value> = if issues.is_empty() {
        vec![Issue::new(Severity::Information, IssueCode::Informational, "", "No issues were found.").to_json()]
    } else {
        issues.iter().map(Issue::to_json).collect()
    };
    json!({ "resourceType": "OperationOutcome", "issue": list })
}
