//! A `_filter` expression as data, and its text.

use std::fmt;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// A search parameter compared with a value.
    Compare {
        /// The way to the parameter: references first, the parameter last.
        path: Vec<Step>,
        /// The comparison.
        operator: Operator,
        /// The value.
        operand: Operand,
    },
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

/// One name of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// A search parameter, for a reference with `:Type` where its type must be said.
    pub name: String,
    /// What must hold for the resource referred to.
    pub condition: Option<Box<Filter>>,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// In double quotes.
    Text(String),
    /// Without.
    Bare(String),
}

impl Operand {
    /// What was written.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// There is a value that is not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// About the same.
    Ap,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// There is a value, or none.
    Pr,
    /// Periods overlap.
    Po,
    /// The value subsumes a code.
    Ss,
    /// The value is subsumed by a code.
    Sb,
    /// In a value set.
    In,
    /// In no value set.
    Ni,
    /// Refers to.
    Re,
}

impl Operator {
    /// Every comparison with its word.
    pub const ALL: [(&'static str, Self); 19] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("co", Self::Co),
        ("sw", Self::Sw),
        ("ew", Self::Ew),
        ("gt", Self::Gt),
        ("lt", Self::Lt),
        ("ge", Self::Ge),
        ("le", Self::Le),
        ("ap", Self::Ap),
        ("sa", Self::Sa),
        ("eb", Self::Eb),
        ("pr", Self::Pr),
        ("po", Self::Po),
        ("ss", Self::Ss),
        ("sb", Self::Sb),
        ("in", Self::In),
        ("ni", Self::Ni),
        ("re", Self::Re),
    ];

    /// The comparison of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, operator)| *operator)
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(word, _)| *word)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { path, operator, operand } => {
                for (position, step) in path.iter().enumerate() {
                    formatter.write_str(if position == 0 { "" } else { "." })?;
                    write!(formatter, "{step}")?;
                }
                write!(formatter, " {} {operand}", operator.word())
            }
            Self::And(left, right) => joined(left, "and", right, formatter),
            Self::Or(left, right) => joined(left, "or", right, formatter),
            Self::Not(inner) => write!(formatter, "not ({inner})"),
        }
    }
}

/// Expressions are read from the left, so that only one on the right needs parentheses.
fn joined(left: &Filter, word: &str, right: &Filter, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match right {
        Filter::And(..) | Filter::Or(..) => write!(formatter, "{left} {word} ({right})"),
        _ => write!(formatter, "{left} {word} {right}"),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.condition {
            Some(condition) => write!(formatter, "{}[{condition}]", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{}", serde_json::Value::from(text.as_str())),
            Self::Bare(text) => formatter.write_str(text),
        }
    }
}
