//! Builds one SQL text with `$1`, `$2` … and the values that belong to them, in step.

use std::fmt::Write as _;

use super::statement::{Bind, Statement};

/// SQL text under construction.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    text: String,
    binds: Vec<Bind>,
    aliases: usize,
}

impl Sql {
    /// Appends SQL text. Never a value: values are bound.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder for `value`.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        self.binds.push(value);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "${}", self.binds.len());
        self
    }

    /// Appends a placeholder for a text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bind(Bind::Text(value.to_owned()))
    }

    /// Appends a placeholder for an integer.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        self.bind(Bind::Integer(value))
    }

    /// Appends ` limit` with a placeholder. SQLite looks into a limit that is a placeholder and nothing else, and then prepares
    /// the statement anew for every value that is bound, which made a sixth of the cost of a search.
    pub fn limit(&mut self, rows: i64) -> &mut Self {
        self.push(" limit ").integer(rows).push(" + 0")
    }

    /// Appends a placeholder for a real number.
    pub fn real(&mut self, value: f64) -> &mut Self {
        self.bind(Bind::Real(value))
    }

    /// Appends a placeholder for the number of a search parameter.
    pub fn parameter(&mut self, resource_type: &str, code: &str) -> &mut Self {
        self.bind(Bind::Parameter { resource_type: resource_type.to_owned(), code: code.to_owned() })
    }

    /// A table alias that is not in use yet.
    pub fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }

    /// Appends `(a or b or c)`: each item is written by `write`.
    pub fn any<T>(&mut self, items: &[T], mut write: impl FnMut(&T, &mut Self)) -> &mut Self {
        self.list("or", items, &mut write)
    }

    /// Appends `(a and b and c)`: each item is written by `write`.
    pub fn all<T>(&mut self, items: &[T], mut write: impl FnMut(&T, &mut Self)) -> &mut Self {
        self.list("and", items, &mut write)
    }

    fn list<T>(&mut self, word: &str, items: &[T], write: &mut dyn FnMut(&T, &mut Self)) -> &mut Self {
        self.push("(");
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.push(" ").push(word).push(" ");
            }
            self.push(if items.len() > 1 { "(" } else { "" });
            write(item, self);
            self.push(if items.len() > 1 { ")" } else { "" });
        }
        self.push(")")
    }

    /// Appends a whole statement with its values.
    pub fn append(&mut self, statement: &Statement) -> &mut Self {
        let mut rest = statement.sql.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (number, behind) = after.split_at(digits);
            self.push(before);
            let place: usize = number.parse().unwrap_or_default();
            if let Some(value) = place.checked_sub(1).and_then(|place| statement.binds.get(place)) {
                self.bind(value.clone());
            }
            rest = behind;
        }
        self.push(rest)
    }

    /// How many values are bound so far.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.binds.len()
    }

    /// The text and its values.
    #[must_use]
    pub fn finish(self) -> (String, Vec<Bind>) {
        (self.text, self.binds)
    }
}
