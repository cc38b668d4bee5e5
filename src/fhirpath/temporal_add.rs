//! Dates, dateTimes and times plus or minus a duration (<https://hl7.org/fhirpath/N1/#datetime-arithmetic>).

use rust_decimal::prelude::ToPrimitive;

use super::error::EvaluateError;
use super::quantity::Quantity;
use super::temporal::{Precision, Temporal, TemporalKind, civil_from_days, days_from_civil};
use super::temporal_parse::days_in_month;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The unit of a duration: months or nanoseconds of one.
enum Step {
    Months(i64),
    Nanoseconds(i128),
}

impl Temporal {
    /// The sum, or (with `negate`) the difference. Fractions of the unit are dropped. UCUM's `a` and `mo` are mean
    /// lengths, not calendar units, and so an error; nothing where the result leaves the years 1 to 9999.
    pub(super) fn add(&self, quantity: &Quantity<'_>, negate: bool) -> Result<Option<Self>, EvaluateError> {
        let step = step(quantity)?;
        let Some(count) = quantity.value.trunc().to_i64() else { return Ok(None) };
        let count = if negate { -count } else { count };
        Ok(match step {
            Step::Months(months) if self.kind != TemporalKind::Time => {
                months.checked_mul(count).and_then(|months| self.add_months(months))
            }
            Step::Months(_) => {
                return Err(EvaluateError::WrongType { operation: "+", found: "a duration of years or months" });
            }
            Step::Nanoseconds(nanoseconds) => {
                nanoseconds.checked_mul(count.into()).and_then(|duration| self.add_nanoseconds(duration))
            }
        })
    }

    fn add_months(&self, months: i64) -> Option<Self> {
        // A value known to the year moves by whole years.
        let months = if self.precision == Precision::Year { months / 12 * 12 } else { months };
        let total = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        let day = i64::from(self.day).min(days_in_month(year_in_range(year)?, month));
        self.with_date(year, month, day)
    }

    fn add_nanoseconds(&self, duration: i128) -> Option<Self> {
        match self.precision {
            Precision::Year => self.add_months(i64::try_from(duration / DAY / 365).ok()?.checked_mul(12)?),
            Precision::Month => self.add_months(i64::try_from(duration / DAY / 30).ok()?),
            _ if self.kind == TemporalKind::Time => Some(self.with_time((self.of_day() + duration).rem_euclid(DAY))),
            _ => {
                // Beyond the precision nothing is known, so nothing smaller is added.
                let unit = match self.precision {
                    Precision::Day => DAY,
                    Precision::Hour => 3600 * SECOND,
                    Precision::Minute => 60 * SECOND,
                    _ => 1,
                };
                let moved = self.of_day() + duration / unit * unit;
                let days = days_from_civil(self.year.into(), self.month.into(), self.day.into());
                let days = days.checked_add(i64::try_from(moved.div_euclid(DAY)).ok()?)?;
                if !(-800_000..3_000_000).contains(&days) {
                    return None;
                }
                let (year, month, day) = civil_from_days(days);
                Some(self.with_date(year, month, day)?.with_time(moved.rem_euclid(DAY)))
            }
        }
    }

    fn of_day(&self) -> i128 {
        let seconds = i128::from(self.hour) * 3600 + i128::from(self.minute) * 60 + i128::from(self.second);
        seconds * SECOND + i128::from(self.nanosecond)
    }

    fn with_date(&self, year: i64, month: i64, day: i64) -> Option<Self> {
        Some(Self {
            year: i16::try_from(year_in_range(year)?).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
            ..*self
        })
    }

    fn with_time(&self, of_day: i128) -> Self {
        let seconds = of_day / SECOND;
        let small = |value: i128| u8::try_from(value).unwrap_or_default();
        let nanosecond = u32::try_from(of_day % SECOND).unwrap_or_default();
        // Adding milliseconds to whole seconds makes the milliseconds known.
        let fraction_digits = if nanosecond > 0 { self.fraction_digits.max(3) } else { self.fraction_digits };
        Self {
            hour: small(seconds / 3600),
            minute: small(seconds / 60 % 60),
            second: small(seconds % 60),
            nanosecond,
            fraction_digits,
            ..*self
        }
    }
}

fn year_in_range(year: i64) -> Option<i64> {
    Some(year).filter(|year| (1..=9999).contains(year))
}

/// UCUM's definite durations and the calendar words; calendar words in quotes are taken for what they say.
fn step(quantity: &Quantity<'_>) -> Result<Step, EvaluateError> {
    Ok(match &*quantity.unit {
        "year" | "years" => Step::Months(12),
        "month" | "months" => Step::Months(1),
        "week" | "weeks" | "wk" => Step::Nanoseconds(7 * DAY),
        "day" | "days" | "d" => Step::Nanoseconds(DAY),
        "hour" | "hours" | "h" => Step::Nanoseconds(3600 * SECOND),
        "minute" | "minutes" | "min" => Step::Nanoseconds(60 * SECOND),
        "second" | "seconds" | "s" => Step::Nanoseconds(SECOND),
        "millisecond" | "milliseconds" | "ms" => Step::Nanoseconds(SECOND / 1000),
        _ => return Err(EvaluateError::WrongType { operation: "+", found: "a quantity that is no calendar duration" }),
    })
}
