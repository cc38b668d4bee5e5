//! Tokens to a syntax tree, by precedence climbing (<https://hl7.org/fhirpath/N1/#operator-precedence>).
//! Called by `compile` and by tests.

use super::error::CompileError;
use super::lexer::{Lexer, Token};
use super::syntax::{Kind, Operator, POLARITY, TYPE, Tree, UNION};

/// Deepest nesting of an expression; official ones stay below 20. Evaluation recurses as deep as the tree is.
const MAX_DEPTH: usize = 120;
/// How many levels a call in a call counts beyond itself: running it takes that much more of the stack.
const CALL_DEPTH: usize = 3;
/// Longest expression in bytes; the longest official one has 3,500.
const MAX_LENGTH: usize = 65_536;
/// The calendar duration keywords (<https://hl7.org/fhirpath/N1/#time-valued-quantities>).
pub(super) const CALENDAR_UNITS: [&str; 16] = [
    "year",
    "years",
    "month",
    "months",
    "week",
    "weeks",
    "day",
    "days",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
    "millisecond",
    "milliseconds",
];

/// Parses a whole text.
pub fn parse(source: &str) -> Result<Tree, CompileError> {
    if source.len() > MAX_LENGTH {
        return Err(CompileError::new(source, 0, format!("the expression is longer than {MAX_LENGTH} bytes")));
    }
    let mut parser = Parser { source, lexer: Lexer::new(source), token: Token::End, position: 0, depth: 0 };
    parser.advance()?;
    let tree = parser.expression(0)?;
    if parser.token != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok(tree)
}

struct Parser<'t> {
    source: &'t str,
    lexer: Lexer<'t>,
    token: Token,
    position: usize,
    depth: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, CompileError> {
        let (token, position) = self.lexer.next()?;
        self.position = position;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn unexpected(&self, expected: &str) -> CompileError {
        let found = self.token.describe();
        CompileError::new(self.source, self.position, format!("found {found}: expected {expected}"))
    }

    fn accept(&mut self, symbol: &'static str) -> Result<bool, CompileError> {
        let found = self.token == Token::Symbol(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), CompileError> {
        if self.accept(symbol)? { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    /// Counts one level of the tree; a long chain of operators nests as deeply as parentheses do.
    fn deeper(&mut self) -> Result<(), CompileError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CompileError::new(
                self.source,
                self.position,
                format!("the expression nests deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    fn expression(&mut self, at_least: u8) -> Result<Tree, CompileError> {
        let entered = self.depth;
        self.deeper()?;
        let mut left = self.polarity()?;
        while let Some(infix) = self.infix().filter(|infix| infix.precedence() >= at_least) {
            if !matches!(infix, Infix::Union) {
                self.deeper()?;
            }
            left = self.operation(left, infix)?;
        }
        self.depth = entered;
        Ok(left)
    }

    fn infix(&self) -> Option<Infix> {
        let text = match &self.token {
            Token::Word(word) => word.as_str(),
            Token::Symbol(symbol) => symbol,
            _ => return None,
        };
        match text {
            "|" => Some(Infix::Union),
            "is" => Some(Infix::Is),
            "as" => Some(Infix::As),
            _ => Operator::ALL.iter().find(|operator| operator.symbol() == text).copied().map(Infix::Operator),
        }
    }

    fn operation(&mut self, left: Tree, infix: Infix) -> Result<Tree, CompileError> {
        let position = self.position;
        self.advance()?;
        let kind = match infix {
            Infix::Union => {
                let right = self.expression(UNION + 1)?;
                return Ok(union(left, right));
            }
            Infix::Is | Infix::As => {
                let name = self.type_name()?;
                Kind::Type { is: matches!(infix, Infix::Is), operand: Box::new(left), name }
            }
            Infix::Operator(operator) => {
                let right = Box::new(self.expression(operator.precedence() + 1)?);
                Kind::Binary { operator, left: Box::new(left), right }
            }
        };
        Ok(Tree::new(position, kind))
    }

    fn type_name(&mut self) -> Result<Vec<String>, CompileError> {
        let mut name = vec![self.identifier("the name of a type")?];
        while self.token == Token::Symbol(".") {
            self.advance()?;
            name.push(self.identifier("the name of a type")?);
        }
        Ok(name)
    }

    /// Any word may stand where a name must: FHIR has elements called `contains`, `div` and `as`.
    fn identifier(&mut self, expected: &str) -> Result<String, CompileError> {
        if !matches!(self.token, Token::Word(_) | Token::Delimited(_)) {
            return Err(self.unexpected(expected));
        }
        match self.advance()? {
            Token::Word(word) | Token::Delimited(word) => Ok(word),
            _ => Err(self.unexpected(expected)),
        }
    }

    fn polarity(&mut self) -> Result<Tree, CompileError> {
        let position = self.position;
        let minus = self.token == Token::Symbol("-");
        if !minus && self.token != Token::Symbol("+") {
            return self.path();
        }
        self.advance()?;
        let operand = Box::new(self.expression(POLARITY)?);
        Ok(Tree::new(position, Kind::Polarity { minus, operand }))
    }

    fn path(&mut self) -> Result<Tree, CompileError> {
        let entered = self.depth;
        let mut tree = self.term()?;
        loop {
            let position = self.position;
            if self.accept(".")? {
                self.deeper()?;
                tree = self.invocation(Some(Box::new(tree)))?;
            } else if self.accept("[")? {
                self.deeper()?;
                let index = Box::new(self.expression(0)?);
                self.expect("]")?;
                tree = Tree::new(position, Kind::Indexer { base: Box::new(tree), index });
            } else {
                self.depth = entered;
                return Ok(tree);
            }
        }
    }

    fn term(&mut self) -> Result<Tree, CompileError> {
        let position = self.position;
        let kind = match &self.token {
            Token::Symbol("(") => {
                self.advance()?;
                let tree = self.expression(0)?;
                self.expect(")")?;
                return Ok(tree);
            }
            Token::Symbol("{") => {
                self.advance()?;
                self.expect("}")?;
                return Ok(Tree::new(position, Kind::Empty));
            }
            Token::Word(word) if word == "true" || word == "false" => Kind::Boolean(word == "true"),
            Token::Word(_) | Token::Delimited(_) | Token::Special(_) => return self.invocation(None),
            Token::Number(_) => return self.number(),
            Token::Text(text) => Kind::Text(text.clone()),
            Token::Temporal(text) => Kind::Temporal(text.clone()),
            Token::Variable(name) => Kind::Variable(name.clone()),
            Token::Symbol(_) | Token::End => {
                return Err(self.unexpected("a name, a literal, `(`, `{}`, `$this` or a variable"));
            }
        };
        self.advance()?;
        Ok(Tree::new(position, kind))
    }

    fn number(&mut self) -> Result<Tree, CompileError> {
        let position = self.position;
        let Token::Number(number) = self.advance()? else { return Err(self.unexpected("a number")) };
        let kind = match &self.token {
            Token::Text(unit) => Kind::Quantity { number, unit: unit.clone(), calendar: false },
            Token::Word(word) if CALENDAR_UNITS.contains(&word.as_str()) => {
                Kind::Quantity { number, unit: word.clone(), calendar: true }
            }
            _ => return Ok(Tree::new(position, Kind::Number(number))),
        };
        self.advance()?;
        Ok(Tree::new(position, kind))
    }

    fn invocation(&mut self, base: Option<Box<Tree>>) -> Result<Tree, CompileError> {
        let position = self.position;
        if let Token::Special(word) = &self.token {
            if base.is_some() && word != "this" {
                return Err(self.unexpected("a name or a function"));
            }
            let kind = match word.as_str() {
                "this" => Kind::This,
                "index" => Kind::Index,
                _ => Kind::Total,
            };
            self.advance()?;
            return Ok(base.map_or(Tree::new(position, kind), |base| *base));
        }
        let name = self.identifier("a name or a function")?;
        if !self.accept("(")? {
            return Ok(Tree::new(position, Kind::Member { base, name }));
        }
        let entered = self.depth;
        self.depth += CALL_DEPTH;
        let mut arguments = Vec::new();
        if !self.accept(")")? {
            arguments.push(self.expression(0)?);
            while self.accept(",")? {
                arguments.push(self.expression(0)?);
            }
            self.expect(")")?;
        }
        self.depth = entered;
        Ok(Tree::new(position, Kind::Call { base, name, arguments }))
    }
}

/// What may stand between two operands.
#[derive(Clone, Copy)]
enum Infix {
    Union,
    Is,
    As,
    Operator(Operator),
}

impl Infix {
    const fn precedence(self) -> u8 {
        match self {
            Self::Union => UNION,
            Self::Is | Self::As => TYPE,
            Self::Operator(operator) => operator.precedence(),
        }
    }
}

/// `a | b | c` becomes one flat union. Parenthesised operands are merged too: union is associative.
fn union(left: Tree, right: Tree) -> Tree {
    let position = left.position;
    let mut members = match left.kind {
        Kind::Union(members) => members,
        _ => vec![left],
    };
    match right.kind {
        Kind::Union(more) => members.extend(more),
        _ => members.push(right),
    }
    Tree::new(position, Kind::Union(members))
}
