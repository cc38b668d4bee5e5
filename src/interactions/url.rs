//! Addresses and query strings: splitting and decoding, for requests, bundle entries and criteria.

use percent_encoding::percent_decode_str;

use crate::problem::{Kind, Problem};

/// Most parameters in one query string.
const LARGEST_QUERY: usize = 200;

/// Splits and decodes a query string. 400 where it has more than 200 parameters or is not UTF-8.
pub fn query_pairs(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Result<Vec<_>, _> = text
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect();
    match pairs {
        Ok(pairs) if pairs.len() > LARGEST_QUERY => {
            Err(Problem::new(Kind::Invalid, format!("A query has at most {LARGEST_QUERY} parameters."))
                .at("http.query"))
        }
        other => other,
    }
}

/// Splits a path below the base into decoded segments; empty segments at the end are dropped.
pub fn path_segments(path: &str) -> Result<Vec<String>, Problem> {
    let trimmed = path.trim_matches('/');
    if trimmed.is_empty() {
        return Ok(Vec::new());
    }
    trimmed.split('/').map(decode_path).collect()
}

fn decode(text: &str) -> Result<String, Problem> {
    decode_path(&text.replace('+', " "))
}

fn decode_path(text: &str) -> Result<String, Problem> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Problem::new(Kind::Invalid, "The address is not UTF-8 after percent-decoding.").at("http.url"))
}
