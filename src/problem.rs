//! The one error type of the server: what went wrong, which HTTP status that is, and the issues to show.
//! Every layer returns `Problem`; only the HTTP shell turns it into a response (an OperationOutcome).

use std::fmt;

use crate::fhir::issue::{Issue, IssueCode, Severity};

/// What kind of failure it is. [`Kind::status`] and [`Kind::issue_code`] are the only table from failures to HTTP and FHIR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is not well formed: syntax, unknown parameter, wrong value of a header.
    Invalid,
    /// Authentication is missing or wrong.
    Unauthorized,
    /// The caller is known but may not do this.
    Forbidden,
    /// No such resource, version, operation or resource type.
    NotFound,
    /// The HTTP method is not offered at this address.
    MethodNotAllowed,
    /// No format that the client accepts can be produced.
    NotAcceptable,
    /// The resource changed under the client, or a unique thing exists already.
    Conflict,
    /// A duplicate of something that exists (409 with issue code `duplicate`).
    Duplicate,
    /// The resource existed and was deleted.
    Gone,
    /// `If-Match`, `If-None-Exist` or another precondition does not hold.
    PreconditionFailed,
    /// The body is larger than the server takes.
    TooLarge,
    /// The address is longer than the server reads.
    AddressTooLong,
    /// The headers are larger than the server reads.
    HeadersTooLarge,
    /// The client took too long to send its request.
    TooSlow,
    /// The content type is not one the server reads.
    UnsupportedMediaType,
    /// The resource is understood and breaks a validation rule.
    Unprocessable,
    /// The resource is valid and breaks a rule of the referral workflow.
    BusinessRule,
    /// Too many requests from this client.
    TooManyRequests,
    /// A bug or a fault of the machine; details are logged, never shown.
    Internal,
    /// The specification has it, this server does not offer it.
    NotSupported,
    /// Overloaded or the database is away; the client should try again.
    Unavailable,
}

impl Kind {
    /// The HTTP status code of this kind (<https://hl7.org/fhir/R4/http.html#Status-Codes>).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::TooSlow => 408,
            Self::Conflict | Self::Duplicate => 409,
            Self::Gone => 410,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::AddressTooLong => 414,
            Self::UnsupportedMediaType => 415,
            Self::Unprocessable | Self::BusinessRule => 422,
            Self::TooManyRequests => 429,
            Self::HeadersTooLarge => 431,
            Self::Internal => 500,
            Self::NotSupported => 501,
            Self::Unavailable => 503,
        }
    }

    /// The issue code used where a problem carries no issue of its own (<https://hl7.org/fhir/R4/valueset-issue-type.html>).
    #[must_use]
    pub const fn issue_code(self) -> IssueCode {
        match self {
            Self::Invalid | Self::Unprocessable => IssueCode::Invalid,
            Self::Unauthorized => IssueCode::Login,
            Self::Forbidden => IssueCode::Forbidden,
            Self::NotFound => IssueCode::NotFound,
            Self::MethodNotAllowed | Self::NotAcceptable | Self::UnsupportedMediaType | Self::NotSupported => {
                IssueCode::NotSupported
            }
            Self::Conflict | Self::PreconditionFailed => IssueCode::Conflict,
            Self::Duplicate => IssueCode::Duplicate,
            Self::Gone => IssueCode::Deleted,
            Self::TooLarge | Self::AddressTooLong | Self::HeadersTooLarge => IssueCode::TooLong,
            Self::TooSlow => IssueCode::Timeout,
            Self::BusinessRule => IssueCode::BusinessRule,
            Self::TooManyRequests => IssueCode::Throttled,
            Self::Internal => IssueCode::Exception,
            Self::Unavailable => IssueCode::Transient,
        }
    }

    /// Every kind, for table tests.
    pub const ALL: [Self; 21] = [
        Self::Invalid,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::Conflict,
        Self::Duplicate,
        Self::Gone,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::AddressTooLong,
        Self::HeadersTooLarge,
        Self::TooSlow,
        Self::UnsupportedMediaType,
        Self::Unprocessable,
        Self::BusinessRule,
        Self::TooManyRequests,
        Self::Internal,
        Self::NotSupported,
        Self::Unavailable,
    ];
}

/// A failure: its kind, the issues a client is shown, and (never shown, logged once) the cause.
#[derive(Debug)]
pub struct Problem {
    /// Decides the HTTP status.
    pub kind: Kind,
    /// What the client reads; never empty once it has passed [`Problem::issues`].
    issues: Vec<Issue>,
    /// The internal cause, for the log only.
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    /// A problem with one error issue whose diagnostics are `text`. `text` is shown to the client: no internals, no patient data.
    #[must_use]
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        let issue = Issue::new(Severity::Error, kind.issue_code(), "", text);
        Self { kind, issues: vec![issue], cause: None }
    }

    /// A problem that carries the given issues (at least one of them an error).
    #[must_use]
    pub fn with_issues(kind: Kind, issues: Vec<Issue>) -> Self {
        Self { kind, issues, cause: None }
    }

    /// A fault of ours: the client reads a neutral text, the log gets the cause.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut problem =
            Self::new(Kind::Internal, "The server failed to carry out this request. The fault has been logged.");
        problem.cause = Some(cause.into());
        problem
    }

    /// Sets the FHIRPath expression of the first issue.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        if let Some(issue) = self.issues.first_mut() {
            issue.expression = Some(expression.into());
        }
        self
    }

    /// Attaches an internal cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The issues a client is shown.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// The internal cause, for the log.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync)> {
        self.cause.as_deref()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.kind)?;
        for issue in &self.issues {
            write!(formatter, ": {}", issue.text)?;
        }
        if let Some(cause) = &self.cause {
            write!(formatter, " (cause: {cause})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
