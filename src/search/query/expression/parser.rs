//! Reads a `_filter` expression. Logic is read from the left, without precedence of `and` over `or`, as the specification says;
//! parentheses say otherwise. Mistakes come with the position of the character.

use super::syntax::{Filter, Operand, Operator, Step};

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The position of the character, from 1.
    pub position: usize,
    /// What was expected there.
    pub expected: &'static str,
}

/// The deepest nesting of parentheses and brackets.
const DEEPEST: usize = 16;

/// The most comparisons.
const MOST: usize = 100;

/// The longest path.
const LONGEST_PATH: usize = 8;

/// Reads an expression.
///
/// # Errors
/// The first mistake.
pub fn parse(text: &str) -> Result<Filter, Mistake> {
    let mut reader = Reader { text, at: 0, comparisons: 0 };
    let filter = reader.filter(0)?;
    reader.space();
    if reader.at < text.len() { Err(reader.mistake("`and`, `or` or the end")) } else { Ok(filter) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    comparisons: usize,
}

impl<'a> Reader<'a> {
    fn mistake(&self, expected: &'static str) -> Mistake {
        let before = self.text.get(..self.at).unwrap_or_default();
        Mistake { position: before.chars().count() + 1, expected }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Takes a character, with the white space before it.
    fn take(&mut self, character: char) -> bool {
        self.space();
        let there = self.rest().starts_with(character);
        self.at += if there { character.len_utf8() } else { 0 };
        there
    }

    /// Takes a word that ends there, with the white space before it.
    fn take_word(&mut self, word: &str) -> bool {
        self.space();
        let there = self
            .rest()
            .strip_prefix(word)
            .is_some_and(|after| after.chars().next().is_none_or(|next| next.is_whitespace() || next == '('));
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn filter(&mut self, depth: usize) -> Result<Filter, Mistake> {
        let mut left = self.operand_of_logic(depth)?;
        loop {
            if self.take_word("and") {
                left = Filter::And(Box::new(left), Box::new(self.operand_of_logic(depth)?));
            } else if self.take_word("or") {
                left = Filter::Or(Box::new(left), Box::new(self.operand_of_logic(depth)?));
            } else {
                return Ok(left);
            }
        }
    }

    fn operand_of_logic(&mut self, depth: usize) -> Result<Filter, Mistake> {
        if depth > DEEPEST {
            return Err(self.mistake("fewer parentheses within each other"));
        }
        let start = self.at;
        if self.take_word("not") {
            if self.take('(') {
                return self.closed(')', "`)`", depth).map(|inner| Filter::Not(Box::new(inner)));
            }
            self.at = start;
        }
        if self.take('(') {
            return self.closed(')', "`)`", depth);
        }
        self.comparison(depth)
    }

    fn closed(&mut self, end: char, expected: &'static str, depth: usize) -> Result<Filter, Mistake> {
        let inner = self.filter(depth + 1)?;
        if self.take(end) { Ok(inner) } else { Err(self.mistake(expected)) }
    }

    fn comparison(&mut self, depth: usize) -> Result<Filter, Mistake> {
        self.comparisons += 1;
        if self.comparisons > MOST {
            return Err(self.mistake("fewer comparisons"));
        }
        self.space();
        let mut path = vec![self.step(depth)?];
        while self.rest().starts_with('.') {
            self.at += 1;
            if path.len() >= LONGEST_PATH {
                return Err(self.mistake("a shorter path"));
            }
            path.push(self.step(depth)?);
        }
        let expected = "a comparison: eq, ne, co, sw, ew, gt, lt, ge, le, ap, sa, eb, pr, po, ss, sb, in, ni or re";
        self.space();
        let word: &str = self.rest().split(char::is_whitespace).next().unwrap_or_default();
        let operator = Operator::of(word).ok_or_else(|| self.mistake(expected))?;
        self.at += word.len();
        self.space();
        let operand = self.operand()?;
        Ok(Filter::Compare { path, operator, operand })
    }

    fn step(&mut self, depth: usize) -> Result<Step, Mistake> {
        let is_first = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
        let is_next = |letter: char| letter.is_ascii_alphanumeric() || "_-:".contains(letter);
        let rest = self.rest();
        let end = rest.find(|letter: char| !is_next(letter)).unwrap_or(rest.len());
        let name = rest.get(..end).filter(|name| name.starts_with(is_first)).unwrap_or_default();
        if name.is_empty() {
            return Err(self.mistake("the name of a search parameter"));
        }
        self.at += name.len();
        let condition = if self.rest().starts_with('[') {
            self.at += 1;
            Some(Box::new(self.closed(']', "`]`", depth)?))
        } else {
            None
        };
        Ok(Step { name: name.to_owned(), condition })
    }

    /// A JSON string, or characters up to a space or a closing parenthesis or bracket.
    fn operand(&mut self) -> Result<Operand, Mistake> {
        let rest = self.rest();
        if rest.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let Some(Ok(text)) = values.next() else {
                return Err(self.mistake("a text in double quotes as JSON has it"));
            };
            self.at += values.byte_offset();
            return Ok(Operand::Text(text));
        }
        let end = rest.find(|next: char| next.is_whitespace() || ")]".contains(next)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word.is_empty() {
            return Err(self.mistake("a value"));
        }
        self.at += word.len();
        Ok(Operand::Bare(word.to_owned()))
    }
}
