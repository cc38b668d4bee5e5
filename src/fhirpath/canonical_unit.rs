//! UCUM units in canonical form: how a number in one unit reads in base units (<https://ucum.org/ucum#section-Derived-Unit-Atoms>).
//! Search compares quantities of different units by it.

use std::str::FromStr as _;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::ucum::Unit;

/// A unit as a step from its numbers to those of the base units: `(number + offset) * factor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalUnit {
    code: String,
    offset: Decimal,
    factor: Decimal,
}

impl CanonicalUnit {
    /// The canonical form of a UCUM code. A code that cannot be taken apart is a base unit of its own.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let kelvin = |offset: Decimal, factor: Decimal| Self { code: "K".to_owned(), offset, factor };
        match code {
            "Cel" => kelvin(Decimal::new(27_315, 2), Decimal::ONE),
            "[degF]" => kelvin(Decimal::new(45_967, 2), Decimal::new(5, 0) / Decimal::new(9, 0)),
            _ => Unit::parse(code).map_or_else(
                || Self { code: code.to_owned(), offset: Decimal::ZERO, factor: Decimal::ONE },
                |unit| Self { code: unit.to_string(), offset: Decimal::ZERO, factor: unit.factor },
            ),
        }
    }

    /// The code of the base units.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// A number in this unit, given as decimal text, in base units. Exact as far as 28 digits reach; none if it is no finite
    /// number.
    #[must_use]
    pub fn convert(&self, number: &str) -> Option<f64> {
        let exact = || {
            let decimal = Decimal::from_str(number).or_else(|_| Decimal::from_scientific(number)).ok()?;
            let product = decimal.checked_add(self.offset)?.checked_mul(self.factor)?;
            // A product that was cut off is no longer exact.
            (decimal.is_zero() || product.scale() < 28).then_some(product)?.to_string().parse().ok()
        };
        exact().or_else(|| Some(self.approximate(number.parse().ok()?))).filter(|converted: &f64| converted.is_finite())
    }

    /// As [`CanonicalUnit::convert`], with the precision of a double.
    #[must_use]
    pub fn approximate(&self, number: f64) -> f64 {
        let part = |decimal: Decimal| decimal.to_f64().unwrap_or_default();
        (number + part(self.offset)) * part(self.factor)
    }
}
