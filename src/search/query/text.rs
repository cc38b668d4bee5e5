//! `_text` and `_content`: words joined by AND (or nothing), OR and NOT, in parentheses, phrases in quotes
//! (<https://hl7.org/fhir/R4/search.html#content>).

use super::fault::{self, Fault};
use super::parse::Target;
use super::value::unescape;
use super::{Condition, Rows, Weight};
use crate::search::kinds::words::Words;
use crate::search::kinds::{Criterion, Table};

/// The deepest nesting of parentheses.
const DEEPEST: usize = 16;

/// The most words of one value.
const MOST_WORDS: usize = 50;

/// Reads the values of `_text` or `_content` (`code`), of which one must hold.
pub(super) fn condition(target: &Target<'_>, code: &str, values: &[&str]) -> Result<Condition, Fault> {
    let mut any = Vec::with_capacity(values.len());
    for value in values {
        let mut reader = Reader { tokens: tokens(&unescape(value)), at: 0, target, code };
        if reader.tokens.len() > MOST_WORDS {
            return Err(fault::value(target.name, format!("At most {MOST_WORDS} words may be given.")));
        }
        let condition = reader.any(0)?;
        if reader.at < reader.tokens.len() {
            return Err(reader.wrong());
        }
        any.push(condition);
    }
    Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Words(String),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '(' => {
                found.push(Token::Open);
                after
            }
            ')' => {
                found.push(Token::Close);
                after
            }
            '"' => {
                let (phrase, after) = after.split_once('"').unwrap_or((after, ""));
                found.push(Token::Words(phrase.to_owned()));
                after
            }
            _ => {
                let end = rest.find(|next: char| next.is_whitespace() || "()\"".contains(next)).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                found.push(match word.to_ascii_lowercase().as_str() {
                    "and" => Token::And,
                    "or" => Token::Or,
                    "not" => Token::Not,
                    _ => Token::Words(word.to_owned()),
                });
                after
            }
        }
        .trim_start();
    }
    found
}

struct Reader<'a> {
    tokens: Vec<Token>,
    at: usize,
    target: &'a Target<'a>,
    code: &'a str,
}

impl Reader<'_> {
    fn wrong(&self) -> Fault {
        let text = "Words are expected, joined by AND, OR, NOT and parentheses, or a phrase in double quotes.";
        fault::value(self.target.name, text)
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self, depth: usize) -> Result<Condition, Fault> {
        let mut any = vec![self.all(depth)?];
        while self.take(&Token::Or) {
            any.push(self.all(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Fault> {
        let mut all = vec![self.one(depth)?];
        loop {
            let joined = self.take(&Token::And);
            match self.tokens.get(self.at) {
                None | Some(Token::Or | Token::Close) if !joined => break,
                _ => all.push(self.one(depth)?),
            }
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Fault> {
        if depth > DEEPEST {
            return Err(self.wrong());
        }
        if self.take(&Token::Not) {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&Token::Open) {
            let inner = self.any(depth + 1)?;
            return if self.take(&Token::Close) { Ok(inner) } else { Err(self.wrong()) };
        }
        let Some(Token::Words(words)) = self.tokens.get(self.at) else { return Err(self.wrong()) };
        let words = Words::new(words).ok_or_else(|| self.wrong())?;
        self.at += 1;
        Ok(self.rows(&words))
    }

    /// `_content` covers the narrative too.
    fn rows(&self, words: &Words) -> Condition {
        let under = |code: &str| {
            Condition::Rows(Rows {
                table: Table::Text,
                resource_type: self.target.resource_type.to_owned(),
                code: code.into(),
                any: vec![Criterion::Words(words.clone())],
                weight: Weight::Many,
            })
        };
        match self.code {
            "_content" => Condition::Any(vec![under("_content"), under("_text")]),
            code => under(code),
        }
    }
}
