//! Tokens to `Value`. Recursion is bounded by the depth limit.

use serde_json::{Map, Value};

use super::exact_number;
use super::scan::{Fault, Result, Scanner, duplicate};

/// Reads one JSON value that fills the text.
pub(super) fn parse(text: &str, depth: usize) -> Result<Value> {
    // A level of elements is an object, usually within an array.
    let mut parser = Parser { scanner: Scanner::new(text), depth, left: depth * 2 };
    let value = parser.value()?;
    match parser.scanner.peek() {
        None => Ok(value),
        Some(_) => Err((parser.scanner.position, Fault::Trailing)),
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    depth: usize,
    left: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Value> {
        match self.scanner.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.scanner.string("a string")?.into_owned())),
            Some(b'-' | b'0'..=b'9') => self.scanner.number().map(|text| Value::Number(exact_number(text))),
            Some(b't') => self.scanner.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.scanner.word("false").map(|()| Value::Bool(false)),
            _ => self.scanner.word("null").map(|()| Value::Null),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value>) -> Result<Value> {
        let position = self.scanner.position;
        self.left = self.left.checked_sub(1).ok_or((position, Fault::TooDeep(self.depth)))?;
        self.scanner.position += 1;
        let value = read(self)?;
        self.left += 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value> {
        let mut members = Map::new();
        if self.scanner.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.scanner.peek();
            let position = self.scanner.position;
            let name = self.scanner.string("a name in quotes")?.into_owned();
            if members.contains_key(&name) {
                return Err((position, duplicate(&name)));
            }
            self.scanner.expect(b':', "a colon after the name")?;
            let value = self.value()?;
            members.insert(name, value);
            if !self.scanner.take(b',') {
                self.scanner.expect(b'}', "a comma or a closing brace")?;
                return Ok(Value::Object(members));
            }
        }
    }

    fn array(&mut self) -> Result<Value> {
        let mut items = Vec::new();
        if self.scanner.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.scanner.take(b',') {
                self.scanner.expect(b']', "a comma or a closing bracket")?;
                return Ok(Value::Array(items));
            }
        }
    }
}
