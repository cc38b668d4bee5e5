//! The text forms of dates and times, read byte by byte without allocation. Called by `temporal` only.

use super::{DateTime, Fault, Precision, Time, calendar::days_in_month};

const MIDNIGHT: Time = Time { hour: 0, minute: 0, second: 0, nanosecond: 0, precision: Precision::Hour };

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Takes one byte if it is `wanted`.
    fn take(&mut self, wanted: u8) -> bool {
        match self.0.split_first() {
            Some((&first, rest)) if first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes exactly `count` digits as a number.
    fn digits(&mut self, count: usize) -> Result<u16, Fault> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Fault::Format)?;
        self.0 = rest;
        head.iter().try_fold(0_u16, |number, byte| match byte {
            b'0'..=b'9' => Ok(number * 10 + u16::from(byte - b'0')),
            _ => Err(Fault::Format),
        })
    }

    /// Takes two digits whose number lies between `low` and `high`.
    fn pair(&mut self, low: u8, high: u8) -> Result<u8, Fault> {
        let number = u8::try_from(self.digits(2)?).map_err(|_| Fault::Format)?;
        if (low..=high).contains(&number) { Ok(number) } else { Err(Fault::Format) }
    }

    /// Takes the digits after a decimal point (at least one): nanoseconds and the number of digits.
    fn fraction(&mut self) -> Result<(u32, u8), Fault> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Err(Fault::Format);
        }
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        let nanoseconds = padded.fold(0_u32, |number, byte| number * 10 + u32::from(byte - b'0'));
        Ok((nanoseconds, u8::try_from(length).unwrap_or(u8::MAX)))
    }

    /// Takes `Z` or an offset of at most 14 hours, in minutes.
    fn zone(&mut self) -> Result<Option<i16>, Fault> {
        if self.take(b'Z') {
            return Ok(Some(0));
        }
        let sign = match () {
            () if self.take(b'+') => 1,
            () if self.take(b'-') => -1,
            () => return Ok(None),
        };
        let hours = self.pair(0, 14)?;
        if !self.take(b':') {
            return Err(Fault::Format);
        }
        let minutes = self.pair(0, if hours == 14 { 0 } else { 59 })?;
        Ok(Some(sign * (i16::from(hours) * 60 + i16::from(minutes))))
    }

    /// Takes a time that may stop after the hour or the minute.
    fn time(&mut self) -> Result<Time, Fault> {
        let mut time = Time { hour: self.pair(0, 23)?, ..MIDNIGHT };
        if !self.take(b':') {
            return Ok(time);
        }
        (time.minute, time.precision) = (self.pair(0, 59)?, Precision::Minute);
        if !self.take(b':') {
            return Ok(time);
        }
        (time.second, time.precision) = (self.pair(0, 60)?, Precision::Second);
        if self.take(b'.') {
            let (nanosecond, digits) = self.fraction()?;
            (time.nanosecond, time.precision) = (nanosecond, Precision::Fraction(digits));
        }
        Ok(time)
    }

    /// Takes a date that may stop after the year or the month.
    fn date(&mut self) -> Result<DateTime, Fault> {
        let year = self.digits(4)?;
        if year == 0 {
            return Err(Fault::Format);
        }
        let mut date = DateTime { year, month: 1, day: 1, time: MIDNIGHT, precision: Precision::Year, zone: None };
        if !self.take(b'-') {
            return Ok(date);
        }
        (date.month, date.precision) = (self.pair(1, 12)?, Precision::Month);
        if !self.take(b'-') {
            return Ok(date);
        }
        (date.day, date.precision) = (self.pair(1, 31)?, Precision::Day);
        if date.day > days_in_month(year, date.month) { Err(Fault::NoSuchDay) } else { Ok(date) }
    }

    /// Nothing may be left.
    fn end<T>(&self, value: T) -> Result<T, Fault> {
        if self.0.is_empty() { Ok(value) } else { Err(Fault::Format) }
    }
}

pub(super) fn date(text: &str) -> Result<DateTime, Fault> {
    let mut cursor = Cursor(text.as_bytes());
    let date = cursor.date()?;
    cursor.end(date)
}

pub(super) fn partial_date_time(text: &str) -> Result<DateTime, Fault> {
    let mut cursor = Cursor(text.as_bytes());
    let mut value = cursor.date()?;
    if value.precision == Precision::Day && cursor.take(b'T') && !cursor.0.is_empty() {
        value.time = cursor.time()?;
        value.precision = value.time.precision;
        value.zone = cursor.zone()?;
    }
    cursor.end(value)
}

pub(super) fn date_time(text: &str) -> Result<DateTime, Fault> {
    let value = partial_date_time(text)?;
    match value.precision {
        Precision::Hour | Precision::Minute => Err(Fault::Format),
        Precision::Second | Precision::Fraction(_) if value.zone.is_none() => Err(Fault::NoZone),
        Precision::Day if text.len() > 10 => Err(Fault::Format),
        _ => Ok(value),
    }
}

pub(super) fn instant(text: &str) -> Result<DateTime, Fault> {
    let value = date_time(text)?;
    if value.precision < Precision::Second { Err(Fault::TooCoarse) } else { Ok(value) }
}

pub(super) fn partial_time(text: &str) -> Result<Time, Fault> {
    let mut cursor = Cursor(text.as_bytes());
    let time = cursor.time()?;
    cursor.end(time)
}

pub(super) fn time(text: &str) -> Result<Time, Fault> {
    let time = partial_time(text)?;
    if time.precision < Precision::Second { Err(Fault::Format) } else { Ok(time) }
}
