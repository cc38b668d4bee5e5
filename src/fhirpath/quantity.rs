//! System.Quantity: a decimal with a UCUM or calendar unit; equality, order and arithmetic across units.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::parser::CALENDAR_UNITS;
use super::ucum::Unit;

/// A value with a unit.
#[derive(Debug, Clone)]
pub struct Quantity<'a> {
    /// The number.
    pub value: Decimal,
    /// The UCUM code, or a calendar word such as `days`.
    pub unit: Cow<'a, str>,
    /// Whether the unit is a calendar word.
    pub calendar: bool,
}

impl Quantity<'_> {
    /// A text such as `4.5 'mg'`, `1 day` or `3` (<https://hl7.org/fhirpath/N1/#toquantityunit-string-quantity>).
    #[must_use]
    pub fn parse(text: &str) -> Option<Quantity<'static>> {
        let (number, unit) =
            text.split_once(char::is_whitespace).map_or((text, ""), |(number, unit)| (number, unit.trim()));
        if !super::functions::is_number(number) {
            return None;
        }
        let value = Decimal::from_str(number).ok()?;
        let quoted = unit.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        match quoted {
            Some(quoted) => Some(Quantity { value, unit: Cow::Owned(quoted.to_owned()), calendar: false }),
            None if unit.is_empty() => Some(Quantity { value, unit: Cow::Borrowed("1"), calendar: false }),
            None if CALENDAR_UNITS.contains(&unit) => {
                Some(Quantity { value, unit: Cow::Owned(unit.to_owned()), calendar: true })
            }
            None => None,
        }
    }

    fn same_unit(&self, other: &Quantity<'_>) -> bool {
        self.calendar == other.calendar && self.unit == other.unit
    }

    fn canonical_unit(&self) -> Option<Unit> {
        if self.calendar { Unit::calendar(&self.unit) } else { Unit::parse(&self.unit) }
    }

    /// Both values in one unit; nothing where the units measure different things.
    fn aligned(&self, other: &Quantity<'_>) -> Option<(Decimal, Decimal)> {
        if self.same_unit(other) {
            return Some((self.value, other.value));
        }
        let (one, two) = (self.canonical_unit()?, other.canonical_unit()?);
        if one.dimensions != two.dimensions {
            return None;
        }
        Some((self.value.checked_mul(one.factor)?, other.value.checked_mul(two.factor)?))
    }

    /// Whether the units can be converted into each other.
    #[must_use]
    pub fn comparable(&self, other: &Quantity<'_>) -> bool {
        self.aligned(other).is_some()
    }

    /// The order; nothing where the units measure different things.
    #[must_use]
    pub fn compare(&self, other: &Quantity<'_>) -> Option<Ordering> {
        self.aligned(other).map(|(one, two)| one.cmp(&two))
    }

    /// `~`: equal to the precision of the less precise one; calendar and UCUM years and months count as the same.
    #[must_use]
    pub fn equivalent(&self, other: &Quantity<'_>) -> bool {
        if self.same_unit(other) {
            return equivalent_decimals(self.value, other.value);
        }
        let (Some(one), Some(two)) = (self.lenient_unit(), other.lenient_unit()) else { return false };
        if one.dimensions != two.dimensions {
            return false;
        }
        // The precision of the less precise value, in its own unit: 4 g ~ 4040 mg, since 4.040 g rounds to 4 g.
        let (coarse, fine, unit, fine_unit) = if self.value.scale() <= other.value.scale() && one.factor >= two.factor {
            (self, other, one, two)
        } else {
            (other, self, two, one)
        };
        let converted = fine.value.checked_mul(fine_unit.factor).and_then(|value| value.checked_div(unit.factor));
        converted.is_some_and(|converted| converted.round_dp(coarse.value.scale()) == coarse.value)
    }

    fn lenient_unit(&self) -> Option<Unit> {
        match self.unit.trim_end_matches('s') {
            "year" if self.calendar => Unit::parse("a"),
            "month" if self.calendar => Unit::parse("mo"),
            _ => self.canonical_unit(),
        }
    }

    /// The sum or (with `negate`) the difference, in the unit of the left operand.
    #[must_use]
    pub fn add(&self, other: &Quantity<'_>, negate: bool) -> Option<Self> {
        let addend = if self.same_unit(other) {
            other.value
        } else {
            let (one, two) = (self.canonical_unit()?, other.canonical_unit()?);
            if one.dimensions != two.dimensions {
                return None;
            }
            other.value.checked_mul(two.factor)?.checked_div(one.factor)?
        };
        let value = if negate { self.value.checked_sub(addend) } else { self.value.checked_add(addend) };
        Some(Self { value: value?, unit: self.unit.clone(), calendar: self.calendar })
    }

    /// The product, or (with `divide`) the quotient, in base units unless one operand has none.
    #[must_use]
    pub fn multiply(&self, other: &Quantity<'_>, divide: bool) -> Option<Self> {
        let calculate = |one: Decimal, two: Decimal| if divide { one.checked_div(two) } else { one.checked_mul(two) };
        if other.unit == "1" {
            let value = calculate(self.value, other.value)?;
            return Some(Self { value, unit: self.unit.clone(), calendar: self.calendar });
        }
        let (one, two) = (self.canonical_unit()?, other.canonical_unit()?);
        let value = calculate(self.value.checked_mul(one.factor)?, other.value.checked_mul(two.factor)?)?;
        let unit = one.combine(&two, if divide { -1 } else { 1 });
        Some(Self { value, unit: Cow::Owned(unit.to_string()), calendar: false })
    }
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.calendar {
            write!(formatter, "{} {}", self.value, self.unit)
        } else {
            write!(formatter, "{} '{}'", self.value, self.unit)
        }
    }
}

/// `~` for decimals: both rounded to the smaller number of decimals, trailing zeros ignored.
#[must_use]
pub(super) fn equivalent_decimals(one: Decimal, two: Decimal) -> bool {
    let (one, two) = (one.normalize(), two.normalize());
    let scale = one.scale().min(two.scale());
    one.round_dp(scale) == two.round_dp(scale)
}
