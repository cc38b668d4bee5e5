//! The syntax tree: exactly what was written, before names are resolved. Made by the parser, read by `compile` and by
//! the static check, printed back by `Display` (so that a test can show that printing and parsing are inverse).

use std::fmt;

/// A part of an expression and where it begins in the source.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Byte offset in the source.
    pub position: usize,
    /// What it is.
    pub kind: Kind,
}

/// Trees are equal when they say the same, wherever they stand.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of syntax (<https://hl7.org/fhirpath/N1/grammar.html>).
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `{}`.
    Empty,
    /// `true`, `false`.
    Boolean(bool),
    /// A number as written.
    Number(String),
    /// A string.
    Text(String),
    /// A date, dateTime or time as written after `@`.
    Temporal(String),
    /// A number with a unit; a calendar unit (`days`) or a UCUM unit in quotes.
    Quantity {
        /// The number as written.
        number: String,
        /// The unit.
        unit: String,
        /// Whether the unit is a calendar word.
        calendar: bool,
    },
    /// `$this`.
    This,
    /// `$index`.
    Index,
    /// `$total`.
    Total,
    /// `%name`.
    Variable(String),
    /// A name, of the element itself or (with a base) of a child.
    Member {
        /// What stands before the dot.
        base: Option<Box<Tree>>,
        /// The name.
        name: String,
    },
    /// A function call.
    Call {
        /// What stands before the dot.
        base: Option<Box<Tree>>,
        /// The function's name.
        name: String,
        /// The arguments.
        arguments: Vec<Tree>,
    },
    /// `base[index]`.
    Indexer {
        /// The collection.
        base: Box<Tree>,
        /// The index.
        index: Box<Tree>,
    },
    /// `-operand` or `+operand`.
    Polarity {
        /// Whether the sign is a minus.
        minus: bool,
        /// The operand.
        operand: Box<Tree>,
    },
    /// `left operator right`.
    Binary {
        /// The operator.
        operator: Operator,
        /// The left operand.
        left: Box<Tree>,
        /// The right operand.
        right: Box<Tree>,
    },
    /// `a | b | c`, flat: unions of R4's search parameters have dozens of members.
    Union(Vec<Tree>),
    /// `operand is type` or `operand as type`.
    Type {
        /// `true` for `is`, `false` for `as`.
        is: bool,
        /// The operand.
        operand: Box<Tree>,
        /// The qualified type name, for example `FHIR.Patient`.
        name: Vec<String>,
    },
}

macro_rules! operators {
    ($($name:ident $symbol:literal $precedence:literal),* $(,)?) => {
        /// The binary operators except `|`, `is` and `as`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operator {
            $(#[doc = concat!("`", $symbol, "`")] $name),*
        }

        impl Operator {
            /// Every operator.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As written.
            #[must_use]
            pub const fn symbol(self) -> &'static str {
                match self { $(Self::$name => $symbol),* }
            }

            /// Binds tighter where greater (<https://hl7.org/fhirpath/N1/#operator-precedence>).
            #[must_use]
            pub const fn precedence(self) -> u8 {
                match self { $(Self::$name => $precedence),* }
            }
        }
    };
}

operators! {
    Implies "implies" 1, Or "or" 2, Xor "xor" 2, And "and" 3, In "in" 4, Contains "contains" 4,
    Equal "=" 5, Equivalent "~" 5, NotEqual "!=" 5, NotEquivalent "!~" 5,
    LessOrEqual "<=" 6, GreaterOrEqual ">=" 6, Less "<" 6, Greater ">" 6,
    Add "+" 9, Subtract "-" 9, Concatenate "&" 9,
    Multiply "*" 10, Divide "/" 10, Div "div" 10, Mod "mod" 10,
}

/// Precedence of `|`.
pub(super) const UNION: u8 = 7;
/// Precedence of `is` and `as`.
pub(super) const TYPE: u8 = 8;
/// Precedence of a sign.
pub(super) const POLARITY: u8 = 11;
/// Precedence of what needs no parentheses.
const TERM: u8 = 12;

impl Tree {
    /// A tree at a position.
    #[must_use]
    pub const fn new(position: usize, kind: Kind) -> Self {
        Self { position, kind }
    }

    fn precedence(&self) -> u8 {
        match &self.kind {
            Kind::Binary { operator, .. } => operator.precedence(),
            Kind::Union(_) => UNION,
            Kind::Type { .. } => TYPE,
            Kind::Polarity { .. } => POLARITY,
            _ => TERM,
        }
    }

    fn print(&self, formatter: &mut fmt::Formatter<'_>, at_least: u8) -> fmt::Result {
        if self.precedence() < at_least { write!(formatter, "({self})") } else { write!(formatter, "{self}") }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Empty => formatter.write_str("{}"),
            Kind::Boolean(value) => write!(formatter, "{value}"),
            Kind::Number(number) => formatter.write_str(number),
            Kind::Text(text) => print_quoted(formatter, text, '\''),
            Kind::Temporal(text) => write!(formatter, "@{text}"),
            Kind::Quantity { number, unit, calendar: true } => write!(formatter, "{number} {unit}"),
            Kind::Quantity { number, unit, calendar: false } => {
                write!(formatter, "{number} ")?;
                print_quoted(formatter, unit, '\'')
            }
            Kind::This => formatter.write_str("$this"),
            Kind::Index => formatter.write_str("$index"),
            Kind::Total => formatter.write_str("$total"),
            Kind::Variable(name) => {
                formatter.write_str("%")?;
                print_quoted(formatter, name, '`')
            }
            Kind::Member { base, name } => {
                print_base(formatter, base.as_deref())?;
                print_quoted(formatter, name, '`')
            }
            Kind::Call { base, name, arguments } => {
                print_base(formatter, base.as_deref())?;
                write!(formatter, "{name}(")?;
                print_list(formatter, arguments, ", ", 0)?;
                formatter.write_str(")")
            }
            _ => self.print_operation(formatter),
        }
    }
}

impl Tree {
    fn print_operation(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Indexer { base, index } => {
                base.print(formatter, TERM)?;
                write!(formatter, "[{index}]")
            }
            Kind::Polarity { minus, operand } => {
                formatter.write_str(if *minus { "-" } else { "+" })?;
                operand.print(formatter, POLARITY)
            }
            Kind::Binary { operator, left, right } => {
                left.print(formatter, operator.precedence())?;
                write!(formatter, " {} ", operator.symbol())?;
                right.print(formatter, operator.precedence() + 1)
            }
            Kind::Union(members) => print_list(formatter, members, " | ", UNION + 1),
            Kind::Type { is, operand, name } => {
                operand.print(formatter, TYPE)?;
                formatter.write_str(if *is { " is " } else { " as " })?;
                for (at, part) in name.iter().enumerate() {
                    formatter.write_str(if at > 0 { "." } else { "" })?;
                    print_quoted(formatter, part, '`')?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn print_base(formatter: &mut fmt::Formatter<'_>, base: Option<&Tree>) -> fmt::Result {
    let Some(base) = base else { return Ok(()) };
    base.print(formatter, TERM)?;
    formatter.write_str(".")
}

fn print_list(formatter: &mut fmt::Formatter<'_>, trees: &[Tree], separator: &str, at_least: u8) -> fmt::Result {
    for (at, tree) in trees.iter().enumerate() {
        formatter.write_str(if at > 0 { separator } else { "" })?;
        tree.print(formatter, at_least)?;
    }
    Ok(())
}

fn print_quoted(formatter: &mut fmt::Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    use fmt::Write;
    formatter.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\\' => formatter.write_str("\\\\")?,
            '\n' => formatter.write_str("\\n")?,
            _ if character == quote => write!(formatter, "\\{character}")?,
            _ => formatter.write_char(character)?,
        }
    }
    formatter.write_char(quote)
}
