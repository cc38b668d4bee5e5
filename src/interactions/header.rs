//! Headers of FHIR requests read from their texts (<https://hl7.org/fhir/R4/http.html>). Pure functions; `app` and
//! bundle entries call them.

use jiff::Timestamp;

use super::request::ReturnPreference;
use crate::clock::Micros;
use crate::fhir::temporal::DateTime;
use crate::problem::{Kind, Problem};

/// The entity tags of If-Match and If-None-Match (<https://www.rfc-editor.org/rfc/rfc9110#section-13.1>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tags {
    /// The header is not there.
    #[default]
    Absent,
    /// `*`: whatever there is.
    Any,
    /// These versions.
    Versions(Vec<i64>),
}

impl Tags {
    /// Reads If-None-Match: a list of strong or weak tags, or `*`. A tag that names no version of ours is left out: it matches
    /// nothing.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Self {
        match text.map(str::trim) {
            None => Self::Absent,
            Some("*") => Self::Any,
            Some(list) => Self::Versions(list.split(',').filter_map(tagged_version).collect()),
        }
    }

    /// Reads If-Match: `*`, or versions as `W/"3"`, `"3"` or `3`. 400 where one is none: whoever means to protect a version must not
    /// be misunderstood.
    pub fn must_match(text: Option<&str>, place: &str) -> Result<Self, Problem> {
        let tags = Self::parse(text);
        let count = text.map_or(0, |list| list.split(',').count());
        match &tags {
            Self::Versions(versions) if versions.len() < count || versions.iter().any(|version| *version < 1) => {
                let text = "An entity tag looks like W/\"3\", with a version number from 1.";
                Err(Problem::new(Kind::Invalid, text).at(place))
            }
            _ => Ok(tags),
        }
    }

    /// True where the client has this version.
    #[must_use]
    pub fn name(&self, version: i64) -> bool {
        match self {
            Self::Absent => false,
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

fn tagged_version(tag: &str) -> Option<i64> {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').parse().ok()
}

/// What Prefer headers say: the return preference, where one is named, and whether handling is strict. Of a preference given
/// twice the first counts; what is not known is ignored (<https://www.rfc-editor.org/rfc/rfc7240#section-2>).
#[must_use]
pub fn prefer<'a>(texts: impl Iterator<Item = &'a str>) -> (Option<ReturnPreference>, bool) {
    let mut returns = None;
    let mut strict = None;
    for part in texts.flat_map(|text| text.split([',', ';'])) {
        let Some((name, value)) = part.split_once('=') else { continue };
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        match (name.trim().to_ascii_lowercase().as_str(), value.as_str()) {
            ("return", "minimal") => returns = returns.or(Some(ReturnPreference::Minimal)),
            ("return", "representation") => returns = returns.or(Some(ReturnPreference::Representation)),
            ("return", "operationoutcome") => returns = returns.or(Some(ReturnPreference::OperationOutcome)),
            ("handling", "strict") => strict = strict.or(Some(true)),
            ("handling", "lenient") => strict = strict.or(Some(false)),
            _ => {}
        }
    }
    (returns, strict == Some(true))
}

/// A request or correlation id: 1 to 128 characters out of letters, digits, `-`, `_`, `.` and `:`. 400 otherwise.
pub fn identifier(text: Option<&str>, place: &str) -> Result<Option<String>, Problem> {
    match text {
        None => Ok(None),
        Some(text) if (1..=128).contains(&text.len()) && text.bytes().all(is_identifier_byte) => {
            Ok(Some(text.to_owned()))
        }
        Some(_) => Err(Problem::new(
            Kind::Invalid,
            "An id in a header has 1 to 128 characters out of letters, digits, '-', '_', '.' and ':'; a UUID is best.",
        )
        .at(place)),
    }
}

const fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
}

/// The instant that a text such as `_since` names; none where it is no FHIR instant.
#[must_use]
pub fn instant(text: &str) -> Option<Micros> {
    // In a query string a plus sign means a space: `+01:00` often arrives that way.
    DateTime::parse_instant(&text.replace(' ', "+")).ok().map(|instant| instant.instant())
}

/// How HTTP writes a date (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>), to the second.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// An instant as Last-Modified shows it.
#[must_use]
pub fn format_http_date(instant: Micros) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Ok(time) = Timestamp::from_microsecond(instant) else { return String::new() };
    let time = jiff::tz::Offset::UTC.to_datetime(time);
    let name = |names: &[&'static str], number: i8| {
        usize::try_from(number).ok().and_then(|number| names.get(number).copied()).unwrap_or_default()
    };
    let mut text = String::with_capacity(29);
    let number = |text: &mut String, number: i8| {
        text.push(char::from(b'0' + number.unsigned_abs() / 10 % 10));
        text.push(char::from(b'0' + number.unsigned_abs() % 10));
    };
    text.push_str(name(&DAYS, time.weekday().to_monday_zero_offset()));
    text.push_str(", ");
    number(&mut text, time.day());
    text.push(' ');
    text.push_str(name(&MONTHS, time.month() - 1));
    text.push(' ');
    text.push_str(&time.year().to_string());
    for (before, part) in [(' ', time.hour()), (':', time.minute()), (':', time.second())] {
        text.push(before);
        number(&mut text, part);
    }
    text.push_str(" GMT");
    text
}

/// Reads the date of If-Modified-Since; none where it is not an HTTP date, which HTTP says to ignore.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Micros> {
    let time = jiff::civil::DateTime::strptime(HTTP_DATE, text.trim()).ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}
