//! Text to tokens (<https://hl7.org/fhirpath/N1/grammar.html>). Called by the parser, which asks for one token at a time.

use super::error::CompileError;

/// One token; identifiers and strings have their escapes resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare identifier or keyword.
    Word(String),
    /// An identifier in backticks: never a keyword.
    Delimited(String),
    /// A string literal.
    Text(String),
    /// A number literal as written.
    Number(String),
    /// A date, dateTime or time literal as written, without the `@`.
    Temporal(String),
    /// `$this`, `$index`, `$total`: the word after the dollar.
    Special(String),
    /// The name after `%`.
    Variable(String),
    /// An operator or bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// How an error message calls the token.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) | Self::Delimited(word) => format!("`{word}`"),
            Self::Text(_) => "a string".to_owned(),
            Self::Number(number) => format!("the number {number}"),
            Self::Temporal(text) => format!("@{text}"),
            Self::Special(word) => format!("${word}"),
            Self::Variable(name) => format!("%{name}"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longer symbols first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 23] = [
    "!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "=", "~", "<", ">",
    ";",
];

/// Reads tokens from a text.
pub(super) struct Lexer<'t> {
    source: &'t str,
    position: usize,
}

impl<'t> Lexer<'t> {
    /// A lexer at the beginning of `source`.
    pub(super) const fn new(source: &'t str) -> Self {
        Self { source, position: 0 }
    }

    /// The next token and the byte offset where it begins.
    pub(super) fn next(&mut self) -> Result<(Token, usize), CompileError> {
        self.skip_blanks()?;
        let start = self.position;
        let token = match self.peek() {
            None => Token::End,
            Some('\'') => Token::Text(self.quoted('\'')?),
            Some('`') => Token::Delimited(self.quoted('`')?),
            Some('@') => self.temporal(),
            Some('$') => self.special()?,
            Some('%') => self.variable()?,
            Some(first) if first.is_ascii_digit() => self.number(),
            Some(first) if is_word_start(first) => Token::Word(self.take_while(is_word_part)),
            Some(_) => self.symbol()?,
        };
        Ok((token, start))
    }

    fn rest(&self) -> &'t str {
        self.source.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, position: usize, text: impl Into<String>) -> CompileError {
        CompileError::new(self.source, position, text)
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let length = rest.find(|character| !accept(character)).unwrap_or(rest.len());
        self.position += length;
        rest.get(..length).unwrap_or_default().to_owned()
    }

    fn skip_blanks(&mut self) -> Result<(), CompileError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.position += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.position += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let Some(end) = trimmed.find("*/") else {
                    return Err(self.error(self.position, "the comment is not closed: expected `*/`"));
                };
                self.position += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, CompileError> {
        let start = self.position;
        self.position += 1;
        let mut text = String::new();
        loop {
            let Some(character) = self.peek() else {
                return Err(self.error(start, format!("the text is not closed: expected {quote}")));
            };
            self.position += character.len_utf8();
            match character {
                '\\' => text.push(self.escape()?),
                _ if character == quote => return Ok(text),
                _ => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<char, CompileError> {
        let start = self.position;
        let unknown = "unknown escape: expected one of \\' \\\" \\` \\\\ \\/ \\f \\n \\r \\t \\uXXXX";
        let character = self.peek().ok_or_else(|| self.error(start, unknown))?;
        self.position += character.len_utf8();
        Ok(match character {
            '\'' | '"' | '`' | '\\' | '/' => character,
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.hexadecimal(start)?;
                self.surrogate_pair(unit, start)?
            }
            _ => return Err(self.error(start, unknown)),
        })
    }

    fn hexadecimal(&mut self, start: usize) -> Result<u32, CompileError> {
        let digits = self.rest().get(..4).unwrap_or_default();
        let code = u32::from_str_radix(digits, 16);
        let code = code.ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        self.position += 4;
        code.ok_or_else(|| self.error(start, "expected four hexadecimal digits after \\u"))
    }

    fn surrogate_pair(&mut self, unit: u32, start: usize) -> Result<char, CompileError> {
        let mut code = unit;
        if (0xD800..0xDC00).contains(&unit) && self.rest().starts_with("\\u") {
            self.position += 2;
            let low = self.hexadecimal(start)?;
            code = 0x10000 + ((unit - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
        }
        char::from_u32(code).ok_or_else(|| self.error(start, "\\u does not name a character"))
    }

    fn number(&mut self) -> Token {
        let mut text = self.take_while(|character| character.is_ascii_digit());
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|next| next.is_ascii_digit()) {
            self.position += 1;
            text.push('.');
            text.push_str(&self.take_while(|character| character.is_ascii_digit()));
        }
        Token::Number(text)
    }

    /// A temporal literal ends where the next character cannot continue it; whether it is valid is for the parser to say.
    fn temporal(&mut self) -> Token {
        self.position += 1;
        let mut text = self.take_while(|character| character.is_ascii_digit() || character == '-');
        if self.peek() == Some('T') {
            self.position += 1;
            text.push('T');
            text.push_str(&self.take_while(|character| character.is_ascii_digit() || character == ':'));
            let mut after = self.rest().chars();
            if after.next() == Some('.') && after.next().is_some_and(|next| next.is_ascii_digit()) {
                self.position += 1;
                text.push('.');
                text.push_str(&self.take_while(|character| character.is_ascii_digit()));
            }
            text.push_str(&self.zone());
        }
        Token::Temporal(text)
    }

    fn zone(&mut self) -> String {
        let rest = self.rest().as_bytes();
        let length = match rest.first() {
            Some(b'Z') => 1,
            Some(b'+' | b'-') => {
                let form = rest.get(1..6).unwrap_or_default();
                let fits = form.len() == 5
                    && form
                        .iter()
                        .enumerate()
                        .all(|(at, byte)| if at == 2 { *byte == b':' } else { byte.is_ascii_digit() });
                if fits { 6 } else { 0 }
            }
            _ => 0,
        };
        let zone = self.rest().get(..length).unwrap_or_default().to_owned();
        self.position += length;
        zone
    }

    fn special(&mut self) -> Result<Token, CompileError> {
        let start = self.position;
        self.position += 1;
        let word = self.take_while(is_word_part);
        match word.as_str() {
            "this" | "index" | "total" => Ok(Token::Special(word)),
            _ => Err(self.error(start, format!("unknown `${word}`: expected $this, $index or $total"))),
        }
    }

    fn variable(&mut self) -> Result<Token, CompileError> {
        let start = self.position;
        self.position += 1;
        let name = match self.peek() {
            Some('`') => self.quoted('`')?,
            Some('\'') => self.quoted('\'')?,
            // `%us-zip` and the like carry hyphens without being delimited (FHIR R4, fhirpath.html#vars).
            Some(first) if is_word_start(first) && self.rest().starts_with("us-zip") => {
                self.position += "us-zip".len();
                "us-zip".to_owned()
            }
            Some(first) if is_word_start(first) => self.take_while(is_word_part),
            _ => return Err(self.error(start, "expected the name of a variable after %")),
        };
        Ok(Token::Variable(name))
    }

    fn symbol(&mut self) -> Result<Token, CompileError> {
        let rest = self.rest();
        let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) else {
            let found = rest.chars().next().unwrap_or_default();
            return Err(self.error(self.position, format!("`{}` has no meaning here", found.escape_default())));
        };
        self.position += symbol.len();
        Ok(Token::Symbol(symbol))
    }
}

fn is_word_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn is_word_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
