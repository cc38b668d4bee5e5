//! Text to [`Temporal`]: literals, FHIR primitives and `toDate()` and the like all come here.

use super::temporal::{Precision, Temporal, TemporalKind, civil_from_days, days_from_civil};

impl Temporal {
    /// A literal as written after `@`.
    #[must_use]
    pub fn parse_literal(text: &str) -> Option<Self> {
        if let Some(time) = text.strip_prefix('T') {
            return Self::parse_time(time);
        }
        if text.contains('T') { Self::parse_date_time(text) } else { Self::parse_date(text) }
    }

    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[must_use]
    pub fn parse_date(text: &str) -> Option<Self> {
        let mut date = Self::blank(TemporalKind::Date);
        date.read_date(text)?;
        Some(date)
    }

    /// A date, optionally with `T` and a partial time and a zone. Without `T` it is a dateTime known to the day at most.
    #[must_use]
    pub fn parse_date_time(text: &str) -> Option<Self> {
        let mut value = Self::blank(TemporalKind::DateTime);
        let Some((date, time)) = text.split_once('T') else {
            value.read_date(text)?;
            return Some(value);
        };
        value.read_date(date)?;
        let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (time, zone) = time.split_at_checked(zone_at)?;
        if !time.is_empty() {
            if value.precision != Precision::Day {
                return None;
            }
            value.read_time(time)?;
        }
        value.offset = read_zone(zone)?;
        if value.offset.is_some() && time.is_empty() {
            return None;
        }
        Some(value)
    }

    /// `hh`, `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff`; times have no zone.
    #[must_use]
    pub fn parse_time(text: &str) -> Option<Self> {
        let mut time = Self::blank(TemporalKind::Time);
        time.read_time(text)?;
        Some(time)
    }

    fn read_date(&mut self, text: &str) -> Option<()> {
        let mut parts = text.split('-');
        self.year = i16::try_from(digits(parts.next()?, 4)?).ok()?;
        self.precision = Precision::Year;
        if let Some(month) = parts.next() {
            self.month = u8::try_from(digits(month, 2)?).ok()?;
            self.precision = Precision::Month;
        }
        if let Some(day) = parts.next() {
            self.day = u8::try_from(digits(day, 2)?).ok()?;
            self.precision = Precision::Day;
        }
        let exists = (1..=12).contains(&self.month)
            && (1..=i64::from(self.day.max(1))).contains(&i64::from(self.day))
            && i64::from(self.day) <= days_in_month(self.year.into(), self.month.into());
        (parts.next().is_none() && exists).then_some(())
    }

    fn read_time(&mut self, text: &str) -> Option<()> {
        let mut parts = text.split(':');
        self.hour = u8::try_from(digits(parts.next()?, 2)?).ok().filter(|hour| *hour < 24)?;
        self.precision = Precision::Hour;
        if let Some(minute) = parts.next() {
            self.minute = u8::try_from(digits(minute, 2)?).ok().filter(|minute| *minute < 60)?;
            self.precision = Precision::Minute;
        }
        if let Some(second) = parts.next() {
            let (whole, fraction) =
                second.split_once('.').map_or((second, None), |(whole, after)| (whole, Some(after)));
            self.second = u8::try_from(digits(whole, 2)?).ok().filter(|second| *second <= 60)?;
            self.precision = Precision::Second;
            if let Some(fraction) = fraction {
                self.read_fraction(fraction)?;
            }
        }
        parts.next().is_none().then_some(())
    }

    fn read_fraction(&mut self, fraction: &str) -> Option<()> {
        let known = fraction.get(..fraction.len().min(9))?;
        let value = digits(known, known.len()).filter(|_| !known.is_empty())?;
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count = u32::try_from(known.len()).ok()?;
        self.fraction_digits = u8::try_from(count).ok()?;
        self.nanosecond = u32::try_from(value).ok()? * 10_u32.pow(9 - count);
        Some(())
    }

    /// An instant in microseconds since 1970 as a dateTime in UTC, to the millisecond.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        let day = micros.div_euclid(86_400_000_000);
        let of_day = micros.rem_euclid(86_400_000_000);
        let (year, month, date) = civil_from_days(day);
        let seconds = of_day / 1_000_000;
        let small = |value: i64| u8::try_from(value).unwrap_or_default();
        Self {
            precision: Precision::Second,
            year: i16::try_from(year).unwrap_or(9999),
            month: small(month),
            day: small(date),
            hour: small(seconds / 3600),
            minute: small(seconds / 60 % 60),
            second: small(seconds % 60),
            fraction_digits: 3,
            nanosecond: u32::try_from(of_day % 1_000_000 / 1000 * 1_000_000).unwrap_or_default(),
            offset: Some(0),
            ..Self::blank(TemporalKind::DateTime)
        }
    }
}

/// How many days a month has.
pub(super) const fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

/// Exactly `count` digits as a number.
fn digits(text: &str, count: usize) -> Option<u64> {
    if text.len() != count || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The outer option is validity, the inner one presence.
#[expect(clippy::option_option, reason = "a zone may be absent, present or wrong")]
fn read_zone(zone: &str) -> Option<Option<i16>> {
    let sign = match zone.chars().next() {
        None => return Some(None),
        Some('Z') => return (zone.len() == 1).then_some(Some(0)),
        Some('-') => -1,
        Some(_) => 1,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    Some(Some(sign * i16::try_from(hours * 60 + minutes).ok()?))
}
