//! Dates, dateTimes and times with the precision they were written with (<https://hl7.org/fhirpath/N1/#datetime>), their
//! order (which may be uncertain) and their text. Parsing is in `temporal_parse`, arithmetic in `temporal_add`.

use std::cmp::Ordering;
use std::fmt;

/// Which of the three system types a [`Temporal`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    /// System.Date.
    Date,
    /// System.DateTime.
    DateTime,
    /// System.Time.
    Time,
}

/// How far a value is known. Fractions of a second are part of the second: FHIRPath compares them as one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// Only the year.
    Year,
    /// To the month.
    Month,
    /// To the day.
    Day,
    /// To the hour.
    Hour,
    /// To the minute.
    Minute,
    /// To the second or finer.
    Second,
}

/// A date, dateTime or time. Fields beyond the precision are zero (month and day one).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    /// Which system type it is.
    pub kind: TemporalKind,
    /// How far it is known.
    pub precision: Precision,
    /// The year, 1 to 9999; 1 for a time.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// Digits of the fraction of a second that were written.
    pub fraction_digits: u8,
    /// The fraction of a second.
    pub nanosecond: u32,
    /// Minutes east of UTC, where written.
    pub offset: Option<i16>,
}

const SECOND: i128 = 1_000_000_000;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

impl Temporal {
    /// The value of which nothing but the kind is known; parsing fills it in.
    pub(super) const fn blank(kind: TemporalKind) -> Self {
        Self {
            kind,
            precision: Precision::Year,
            year: 1,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            fraction_digits: 0,
            nanosecond: 0,
            offset: None,
        }
    }

    /// The order, or nothing where the precisions leave it open. Only for two times, or for dates and dateTimes.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.offset, other.offset) {
            (Some(one), Some(two)) if one != two => self.compare_instants(other),
            (Some(_), Some(_)) | (None, None) => self.compare_fields(other),
            _ => self.compare_unzoned(other),
        }
    }

    /// Whether both can be compared at all.
    #[must_use]
    pub fn comparable(&self, other: &Self) -> bool {
        (self.kind == TemporalKind::Time) == (other.kind == TemporalKind::Time)
    }

    /// `~`: the same value known equally far.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        self.comparable(other) && self.precision == other.precision && self.compare(other) == Some(Ordering::Equal)
    }

    fn fields(&self) -> [(Precision, u32); 6] {
        [
            (Precision::Year, self.year.unsigned_abs().into()),
            (Precision::Month, self.month.into()),
            (Precision::Day, self.day.into()),
            (Precision::Hour, self.hour.into()),
            (Precision::Minute, self.minute.into()),
            (Precision::Second, self.second.into()),
        ]
    }

    fn compare_fields(&self, other: &Self) -> Option<Ordering> {
        let common = self.precision.min(other.precision);
        for ((precision, one), (_, two)) in self.fields().into_iter().zip(other.fields()) {
            if precision > common {
                return (self.precision == other.precision).then_some(Ordering::Equal);
            }
            if one != two {
                return Some(one.cmp(&two));
            }
        }
        Some(self.nanosecond.cmp(&other.nanosecond))
    }

    fn compare_instants(&self, other: &Self) -> Option<Ordering> {
        let (one, two) = (self.span(), other.span());
        if self.precision == Precision::Second && other.precision == Precision::Second {
            return Some(one.0.cmp(&two.0));
        }
        if self.precision == other.precision && one == two { Some(Ordering::Equal) } else { certain(one, two) }
    }

    /// One has a zone and the other has none: the other may be anywhere from 14 hours east to 12 hours west.
    fn compare_unzoned(&self, other: &Self) -> Option<Ordering> {
        let widen = |temporal: &Self| {
            let (low, high) = temporal.span();
            if temporal.offset.is_some() { (low, high) } else { (low - 14 * HOUR, high + 12 * HOUR) }
        };
        certain(widen(self), widen(other))
    }

    /// The first nanosecond the value may mean and the one after the last; UTC where no zone is written.
    fn span(&self) -> (i128, i128) {
        let low = self.nanoseconds();
        let high = match self.precision {
            Precision::Year => Self { year: self.year + 1, ..*self }.nanoseconds(),
            Precision::Month if self.month == 12 => Self { year: self.year + 1, month: 1, ..*self }.nanoseconds(),
            Precision::Month => Self { month: self.month + 1, ..*self }.nanoseconds(),
            Precision::Day => low + DAY,
            Precision::Hour => low + HOUR,
            Precision::Minute => low + MINUTE,
            Precision::Second => low + 1,
        };
        (low, high)
    }

    fn nanoseconds(&self) -> i128 {
        let days = i128::from(days_from_civil(self.year.into(), self.month.into(), self.day.into()));
        days * DAY
            + i128::from(self.hour) * HOUR
            + (i128::from(self.minute) - i128::from(self.offset.unwrap_or(0))) * MINUTE
            + i128::from(self.second) * SECOND
            + i128::from(self.nanosecond)
    }

    /// Digits of precision as FHIRPath's `precision()` counts them.
    #[must_use]
    pub fn digits(&self) -> i64 {
        let digits = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second if self.fraction_digits == 0 => 14,
            Precision::Second => 14 + i64::from(self.fraction_digits),
        };
        if self.kind == TemporalKind::Time { digits - 8 } else { digits }
    }
}

fn certain(one: (i128, i128), two: (i128, i128)) -> Option<Ordering> {
    if one.1 <= two.0 {
        Some(Ordering::Less)
    } else if two.1 <= one.0 {
        Some(Ordering::Greater)
    } else {
        None
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
pub(super) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01.
pub(super) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

impl fmt::Display for Temporal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != TemporalKind::Time {
            write!(formatter, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(formatter, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(formatter, "-{:02}", self.day)?;
            }
            if self.precision >= Precision::Hour {
                formatter.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(formatter, "{:02}", self.hour)?;
        }
        if self.precision >= Precision::Minute {
            write!(formatter, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(formatter, ":{:02}", self.second)?;
        }
        if self.fraction_digits > 0 {
            let digits = usize::from(self.fraction_digits);
            write!(formatter, ".{}", format!("{:09}", self.nanosecond).get(..digits).unwrap_or_default())?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => formatter.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                write!(formatter, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
            }
        }
    }
}
