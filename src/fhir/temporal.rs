//! FHIR dates and times: date, dateTime, instant and time with their partial precision, and instants written as text.
//! Called by primitive checks, search extraction, FHIRPath and everything that shows `meta.lastUpdated`.

mod calendar;
mod parse;

use std::fmt;

use crate::clock::Micros;

/// Microseconds in one second.
const SECOND: i64 = 1_000_000;
/// Microseconds in one day.
const DAY: i64 = 86_400 * SECOND;

/// How much of a date or time is stated. Ordered from coarse to fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// `2026`
    Year,
    /// `2026-11`
    Month,
    /// `2026-11-21`
    Day,
    /// `2026-11-21T10`: only in FHIRPath literals.
    Hour,
    /// `2026-11-21T10:00`: only in search parameters and FHIRPath literals.
    Minute,
    /// `2026-11-21T10:00:00Z`
    Second,
    /// With this many digits after the decimal point.
    Fraction(u8),
}

/// Why a text is not a date or time of the wanted type. [`fmt::Display`] says what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The text does not follow the pattern of the type.
    Format,
    /// The pattern holds, but the calendar has no such day (30 February).
    NoSuchDay,
    /// A time of day is given without a time zone.
    NoZone,
    /// An instant needs everything down to the second.
    TooCoarse,
}

impl Fault {
    /// What is wrong and what would be right, without the value.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Format => {
                "must be in the form of its type: a date is YYYY, YYYY-MM or YYYY-MM-DD, a time is hh:mm:ss with optional \
                 fraction, and a date with time ends in Z or +hh:mm"
            }
            Self::NoSuchDay => "must be a day that the calendar has",
            Self::NoZone => "must have a time zone, since it has a time: end it with Z or an offset such as +01:00",
            Self::TooCoarse => "must have date, time to the second, and zone: YYYY-MM-DDThh:mm:ssZ",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl std::error::Error for Fault {}

/// A date, dateTime or instant of any precision. Components finer than [`DateTime::precision`] hold their lowest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// The time of day.
    pub time: Time,
    /// How much is stated.
    pub precision: Precision,
    /// Offset from UTC in minutes; absent for dates.
    pub zone: Option<i16>,
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: FHIR allows a leap second.
    pub second: u8,
    /// The fraction of the second; digits beyond the ninth are checked and dropped.
    pub nanosecond: u32,
    /// How much is stated, from [`Precision::Hour`] on.
    pub precision: Precision,
}

impl Time {
    /// Reads the `time` type (<https://hl7.org/fhir/R4/datatypes.html#time>): `hh:mm:ss[.fraction]`, no zone.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        parse::time(text)
    }

    /// Reads a time that may stop at the hour or minute, as FHIRPath literals do.
    pub fn parse_partial(text: &str) -> Result<Self, Fault> {
        parse::partial_time(text)
    }

    /// Microseconds since midnight, from (inclusive) and to (exclusive), that the stated precision covers.
    #[must_use]
    pub fn interval(&self) -> (Micros, Micros) {
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        let low = seconds * SECOND + i64::from(self.nanosecond / 1000);
        let width = match self.precision {
            Precision::Minute => 60 * SECOND,
            Precision::Second => SECOND,
            Precision::Fraction(digits) => 10_i64.pow(u32::from(6_u8.saturating_sub(digits))),
            _ => 3600 * SECOND,
        };
        (low, low + width)
    }
}

impl DateTime {
    /// Reads the `date` type (<https://hl7.org/fhir/R4/datatypes.html#date>): year, year and month, or a full date.
    pub fn parse_date(text: &str) -> Result<Self, Fault> {
        parse::date(text)
    }

    /// Reads the `dateTime` type (<https://hl7.org/fhir/R4/datatypes.html#dateTime>): a partial date, or a date with time
    /// to the second and zone.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        parse::date_time(text)
    }

    /// Reads the `instant` type (<https://hl7.org/fhir/R4/datatypes.html#instant>): at least to the second, with zone.
    pub fn parse_instant(text: &str) -> Result<Self, Fault> {
        parse::instant(text)
    }

    /// Reads what search parameters (<https://hl7.org/fhir/R4/search.html#date>) and FHIRPath literals allow beyond
    /// `dateTime`: times to the hour or minute, and no zone.
    pub fn parse_partial(text: &str) -> Result<Self, Fault> {
        parse::partial_date_time(text)
    }

    /// The span of time that this value covers: lowest instant (inclusive) and highest (exclusive), in microseconds since
    /// 1970 UTC. A value without zone is taken as UTC.
    #[must_use]
    pub fn interval(&self) -> (Micros, Micros) {
        let offset = i64::from(self.zone.unwrap_or(0)) * 60 * SECOND;
        let start = |year, month, day| calendar::days_from_civil(year, month, day) * DAY - offset;
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        match self.precision {
            Precision::Year => (start(year, 1, 1), start(year + 1, 1, 1)),
            Precision::Month if month == 12 => (start(year, 12, 1), start(year + 1, 1, 1)),
            Precision::Month => (start(year, month, 1), start(year, month + 1, 1)),
            Precision::Day => {
                let low = start(year, month, i64::from(self.day));
                (low, low + DAY)
            }
            _ => {
                let midnight = start(year, month, i64::from(self.day));
                let (low, high) = self.time.interval();
                (midnight + low, midnight + high)
            }
        }
    }

    /// The instant that a value of second precision or finer names; the lowest instant it covers otherwise.
    #[must_use]
    pub fn instant(&self) -> Micros {
        self.interval().0
    }
}

/// Writes an instant with microseconds in UTC: `2026-11-21T10:00:00.123456Z`. Years outside 1 to 9999 are held at the end
/// of that range, because FHIR cannot write others.
#[must_use]
pub fn format_instant(instant: Micros) -> String {
    let lowest = calendar::days_from_civil(1, 1, 1) * DAY;
    let highest = calendar::days_from_civil(10_000, 1, 1) * DAY - 1;
    let instant = instant.clamp(lowest, highest);
    let (year, month, day) = calendar::civil_from_days(instant.div_euclid(DAY));
    let rest = instant.rem_euclid(DAY);
    let (seconds, micros) = (rest / SECOND, rest % SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}
