//! Syntax to a compiled expression: names of functions and types are looked up, literals parsed, regular expressions
//! built, so that whatever is wrong is found before the first resource. Called by [`super::Expression::compile`].

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::error::CompileError;
use super::expression::{CallExpr, Expr, Member, Prepared, Variable};
use super::functions::{self, Arguments, Function};
use super::item::Item;
use super::quantity::Quantity;
use super::specifier::TypeSpecifier;
use super::syntax::{Kind, Tree};
use super::temporal::Temporal;
use crate::fhir::types::Types;

/// Compiles a syntax tree.
pub(super) fn compile(tree: &Tree, source: &str, types: &Types) -> Result<Expr, CompileError> {
    Compiler { source, types }.expr(tree)
}

struct Compiler<'t> {
    source: &'t str,
    types: &'t Types,
}

type Compiled = Result<Expr, CompileError>;

impl Compiler<'_> {
    fn error(&self, tree: &Tree, text: impl Into<String>) -> CompileError {
        CompileError::new(self.source, tree.position, text)
    }

    fn boxed(&self, tree: &Tree) -> Result<Box<Expr>, CompileError> {
        self.expr(tree).map(Box::new)
    }

    fn list(&self, trees: &[Tree]) -> Result<Vec<Expr>, CompileError> {
        trees.iter().map(|tree| self.expr(tree)).collect()
    }

    fn expr(&self, tree: &Tree) -> Compiled {
        Ok(match &tree.kind {
            Kind::Empty => Expr::Empty,
            Kind::This => Expr::This,
            Kind::Index => Expr::Index,
            Kind::Total => Expr::Total,
            Kind::Variable(name) => Expr::Variable(variable(name)),
            Kind::Member { base: None, name } => Expr::Start { member: Member::new(name), type_: self.types.get(name) },
            Kind::Member { base: Some(base), name } => {
                Expr::Member { base: self.boxed(base)?, member: Member::new(name) }
            }
            Kind::Call { base, name, arguments } => self.call(tree, base.as_deref(), name, arguments)?,
            Kind::Indexer { base, index } => Expr::Indexer { base: self.boxed(base)?, index: self.boxed(index)? },
            Kind::Polarity { minus: true, operand } => Expr::Negate(self.boxed(operand)?),
            Kind::Polarity { minus: false, operand } => Expr::Positive(self.boxed(operand)?),
            Kind::Binary { operator, left, right } => {
                Expr::Binary { operator: *operator, left: self.boxed(left)?, right: self.boxed(right)? }
            }
            Kind::Union(members) => Expr::Union(self.list(members)?),
            Kind::Type { is, operand, name } => {
                let type_ = self.type_(tree, name)?;
                let operand = self.boxed(operand)?;
                if *is { Expr::Is { operand, type_ } } else { Expr::As { operand, type_ } }
            }
            _ => Expr::Literal(self.literal(tree)?),
        })
    }

    fn literal(&self, tree: &Tree) -> Result<Item<'static>, CompileError> {
        match &tree.kind {
            Kind::Boolean(value) => Ok(Item::Boolean(*value)),
            Kind::Text(text) => Ok(Item::owned(text.clone())),
            Kind::Number(number) if !number.contains('.') => {
                let integer = number.parse().map_err(|_| self.error(tree, format!("{number} is too large")))?;
                Ok(Item::Integer(integer))
            }
            Kind::Number(number) => self.decimal(tree, number).map(Item::Decimal),
            Kind::Temporal(text) => {
                let unknown = || self.error(tree, format!("@{text} is no date, dateTime or time"));
                Temporal::parse_literal(text).map(Item::Temporal).ok_or_else(unknown)
            }
            Kind::Quantity { number, unit, calendar } => {
                let value = self.decimal(tree, number)?;
                let unit = Cow::Owned(unit.clone());
                Ok(Item::Quantity(Box::new(Quantity { value, unit, calendar: *calendar })))
            }
            _ => Err(self.error(tree, "expected a literal")),
        }
    }

    fn decimal(&self, tree: &Tree, number: &str) -> Result<Decimal, CompileError> {
        Decimal::from_str(number).map_err(|_| self.error(tree, format!("{number} has too many digits")))
    }

    fn type_(&self, tree: &Tree, name: &[String]) -> Result<TypeSpecifier, CompileError> {
        TypeSpecifier::resolve(name, self.types).map_err(|text| self.error(tree, text))
    }

    fn call(&self, tree: &Tree, base: Option<&Tree>, name: &str, arguments: &[Tree]) -> Compiled {
        let function = functions::find(name).ok_or_else(|| self.error(tree, unknown_function(name)))?;
        if arguments.len() < function.least || arguments.len() > function.most {
            return Err(self.error(tree, wrong_count(function, arguments.len())));
        }
        let base = base.map(|base| self.expr(base)).transpose()?;
        let (arguments, prepared) = self.arguments(tree, function, arguments)?;
        Ok(Expr::Call(Box::new(CallExpr { base, function, arguments, prepared })))
    }

    fn arguments(
        &self,
        tree: &Tree,
        function: &Function,
        arguments: &[Tree],
    ) -> Result<(Vec<Expr>, Prepared), CompileError> {
        match (function.arguments, arguments) {
            (Arguments::Type, [argument]) => {
                let name = qualified(argument).ok_or_else(|| self.error(argument, "expected the name of a type"))?;
                Ok((Vec::new(), Prepared::Type(self.type_(argument, &name)?)))
            }
            (Arguments::Pattern(full), [Tree { kind: Kind::Text(text), .. }, ..]) => {
                let invalid = || self.error(tree, "the regular expression is not valid or too large");
                let regex = functions::pattern(text, full).ok_or_else(invalid)?;
                Ok((self.list(arguments)?, Prepared::Pattern(regex)))
            }
            (Arguments::Order, _) => {
                let mut keys = Vec::new();
                let mut descending = Vec::new();
                for argument in arguments {
                    let (minus, key) = match &argument.kind {
                        Kind::Polarity { minus, operand } => (*minus, &**operand),
                        _ => (false, argument),
                    };
                    keys.push(self.expr(key)?);
                    descending.push(minus);
                }
                Ok((keys, Prepared::Order(descending)))
            }
            _ => Ok((self.list(arguments)?, Prepared::Nothing)),
        }
    }
}

fn unknown_function(name: &str) -> String {
    let near = crate::fhir::suggest::nearest(name, functions::all().map(|function| function.name));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}()`?"));
    format!("there is no function `{name}()`{hint}")
}

fn wrong_count(function: &Function, found: usize) -> String {
    let Function { name, least, most, .. } = function;
    let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
    format!("`{name}()` takes {wanted} arguments and has {found}")
}

/// A path of plain names read as a qualified type name.
pub(super) fn qualified(tree: &Tree) -> Option<Vec<String>> {
    let Kind::Member { base, name } = &tree.kind else { return None };
    let mut names = match base {
        Some(base) => qualified(base)?,
        None => Vec::new(),
    };
    names.push(name.clone());
    Some(names)
}

/// The variables of FHIRPath and FHIR (<https://hl7.org/fhir/R4/fhirpath.html#vars>); others come from the context.
fn variable(name: &str) -> Variable {
    let text = |value: &str| Variable::Text(value.to_owned());
    match name {
        "resource" => Variable::Resource,
        "rootResource" => Variable::RootResource,
        "context" => Variable::Context,
        "ucum" => text("http://unitsofmeasure.org"),
        "sct" => text("http://snomed.info/sct"),
        "loinc" => text("http://loinc.org"),
        "us-zip" => text("[0-9]{5}(-[0-9]{4}){0,1}"),
        _ => {
            if let Some(id) = name.strip_prefix("vs-") {
                return Variable::Text(format!("http://hl7.org/fhir/ValueSet/{id}"));
            }
            match name.strip_prefix("ext-") {
                Some(id) => Variable::Text(format!("http://hl7.org/fhir/StructureDefinition/{id}")),
                None => Variable::Named(name.to_owned()),
            }
        }
    }
}
