//! Headers of FHIR requests read from their texts (<https://hl7.org/fhir/R4/http.html>). Pure functions; `app` and
//! bundle entries call them.

use jiff::Timestamp;

use super::request::ReturnPreference;
use crate::clock::Micros;
use crate::fhir::temporal::DateTime;
use crate::problem::{Kind, Problem};

/// A version from an entity tag: `W/"3"`, `"3"` or `3`. 400 where it is none.
pub fn version(text: Option<&str>, place: &str) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let bare = text.trim().trim_start_matches("W/").trim_matches('"');
    match bare.parse::<i64>() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => {
            Err(Problem::new(Kind::Invalid, "An entity tag looks like W/\"3\", with a version number from 1.")
                .at(place))
        }
    }
}

/// What a Prefer header says: the return preference, where it names one, and whether handling is strict.
#[must_use]
pub fn prefer(text: Option<&str>) -> (Option<ReturnPreference>, bool) {
    let mut preference = None;
    let mut strict = false;
    for part in text.unwrap_or_default().split([',', ';']) {
        match part.trim().to_ascii_lowercase().as_str() {
            "return=minimal" => preference = Some(ReturnPreference::Minimal),
            "return=representation" => preference = Some(ReturnPreference::Representation),
            "return=operationoutcome" => preference = Some(ReturnPreference::OperationOutcome),
            "handling=strict" => strict = true,
            _ => {}
        }
    }
    (preference, strict)
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
    Timestamp::from_microsecond(instant).map_or_else(|_| String::new(), |time| time.strftime(HTTP_DATE).to_string())
}

/// Reads the date of If-Modified-Since; none where it is not an HTTP date, which HTTP says to ignore.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Micros> {
    let time = jiff::civil::DateTime::strptime(HTTP_DATE, text.trim()).ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}
