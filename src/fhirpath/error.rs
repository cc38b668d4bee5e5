//! What can go wrong: a text that is no FHIRPath (found once, when it is compiled) and an evaluation that cannot go on.
//! Neither text ever contains a value of the resource.

use std::fmt;

/// Why a text is not an expression this engine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// Byte offset in the expression.
    pub position: usize,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub text: String,
}

impl CompileError {
    /// An error at byte offset `position` of `source`.
    #[must_use]
    pub fn new(source: &str, position: usize, text: impl Into<String>) -> Self {
        let before = source.get(..position).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { position, line, column, text: text.into() }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FHIRPath, line {}, column {}: {}", self.line, self.column, self.text)
    }
}

impl std::error::Error for CompileError {}

/// Why an evaluation stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluateError {
    /// The expression took more steps than [`super::Limits::steps`].
    TooManySteps,
    /// A collection grew beyond [`super::Limits::items`].
    TooManyItems,
    /// A text grew beyond [`super::Limits::text`].
    TextTooLong,
    /// One item was needed and several were there; names the function or operator.
    NotSingle(&'static str),
    /// The function or operator does not take operands of this kind.
    WrongType {
        /// The function or operator.
        operation: &'static str,
        /// The kind that was found.
        found: &'static str,
    },
    /// A variable (`%name`) has no value in this context.
    UnknownVariable(String),
    /// A regular expression computed at run time does not compile.
    InvalidPattern,
    /// The profile given to `conformsTo` or the value set given to `memberOf` is not known; carries its canonical url.
    UnknownCanonical(String),
    /// The arguments ask for something the function does not offer.
    InvalidArgument(&'static str),
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySteps => formatter.write_str("the expression takes too many steps"),
            Self::TooManyItems => formatter.write_str("a collection in the expression grows too large"),
            Self::TextTooLong => formatter.write_str("a text in the expression grows too long"),
            Self::NotSingle(operation) => write!(formatter, "{operation} needs a single item and found several"),
            Self::WrongType { operation, found } => write!(formatter, "{operation} does not take {found}"),
            Self::UnknownVariable(name) => write!(formatter, "the variable %{name} is not defined here"),
            Self::InvalidPattern => formatter.write_str("the regular expression is not valid"),
            Self::UnknownCanonical(url) => write!(formatter, "the definition {url} is not known"),
            Self::InvalidArgument(operation) => write!(formatter, "{operation} does not take this argument"),
        }
    }
}

impl std::error::Error for EvaluateError {}
