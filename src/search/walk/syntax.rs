//! The text of search parameter expressions taken apart: alternatives, and the parts of one path.

/// One part of a path, in reading order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Name(&'a str),
    Equals { name: &'a str, text: &'a str },
    Refers(&'a str),
    As(&'a str),
    Extension(&'a str),
    Index(usize),
}

/// Splits at `|` outside parentheses and quotes.
pub(super) fn alternatives(expression: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    let mut found = Vec::new();
    for (position, byte) in expression.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            b'|' if !quoted && depth == 0 => {
                found.extend(expression.get(start..position));
                start = position + 1;
            }
            _ => {}
        }
    }
    found.extend(expression.get(start..));
    found.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect()
}

/// True if the alternative begins at this resource type, at one of its abstract bases, or at no type at all.
pub(super) fn applies(alternative: &str, resource_type: &str) -> bool {
    let text = alternative.trim_start_matches(['(', ' ']);
    let first = text.split(['.', ' ', ')', '[']).next().unwrap_or(text);
    !first.starts_with(|letter: char| letter.is_ascii_uppercase())
        || first == resource_type
        || matches!(first, "Resource" | "DomainResource")
}

/// Reads one alternative; none if it is not a plain path.
pub(super) fn parts(alternative: &str) -> Option<Vec<Part<'_>>> {
    let mut reader = Reader { rest: alternative.trim() };
    let parts = reader.path()?;
    reader.rest.trim().is_empty().then_some(parts)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn path(&mut self) -> Option<Vec<Part<'a>>> {
        let mut parts = if self.take("(") { self.parenthesised()? } else { vec![Part::Name(self.name()?)] };
        loop {
            if self.take("[") {
                let digits = self.until(']')?;
                parts.push(Part::Index(digits.parse().ok()?));
            } else if self.take(".") {
                parts.push(self.part()?);
            } else {
                return Some(parts);
            }
        }
    }

    /// `(path as Type)` or `(path)`, behind the opening parenthesis.
    fn parenthesised(&mut self) -> Option<Vec<Part<'a>>> {
        let mut parts = self.path()?;
        if self.take(" as ") {
            parts.push(Part::As(self.name()?));
        }
        self.take(")").then_some(parts)
    }

    fn part(&mut self) -> Option<Part<'a>> {
        let name = self.name()?;
        if !self.take("(") {
            return Some(Part::Name(name));
        }
        let part = match name {
            "as" | "ofType" => Part::As(self.name()?),
            "extension" => Part::Extension(self.quoted()?),
            "where" if self.take("resolve() is ") => Part::Refers(self.name()?),
            "where" => {
                let name = self.name()?;
                self.rest = self.rest.trim_start().strip_prefix('=')?.trim_start();
                Part::Equals { name, text: self.quoted()? }
            }
            _ => return None,
        };
        self.take(")").then_some(part)
    }

    fn name(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let (name, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn quoted(&mut self) -> Option<&'a str> {
        self.take("'").then(|| self.until('\''))?
    }

    fn until(&mut self, end: char) -> Option<&'a str> {
        let (found, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(found)
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}
