//! Content negotiation (<https://hl7.org/fhir/R4/http.html#mime-type>): which format a body has and which the answer gets.
//! Pure functions; `app` calls them with the headers and `_format`.

use crate::problem::{Kind, Problem};

/// A format the server writes resources in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `application/fhir+json`.
    #[default]
    Json,
    /// `application/fhir+xml`.
    Xml,
}

/// The format of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// A resource in JSON.
    Json,
    /// A resource in XML.
    Xml,
    /// `application/json-patch+json` (RFC 6902).
    JsonPatch,
    /// `application/x-www-form-urlencoded`, for `_search`.
    Form,
}

/// What the answer should look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// JSON or XML.
    pub format: Format,
    /// Indented for people.
    pub pretty: bool,
    /// The client named the FHIR version, so the answer names it too.
    pub versioned: bool,
}

impl Wanted {
    /// The media type sent in Content-Type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match (self.format, self.versioned) {
            (Format::Json, false) => "application/fhir+json; charset=utf-8",
            (Format::Json, true) => "application/fhir+json; fhirVersion=4.0; charset=utf-8",
            (Format::Xml, false) => "application/fhir+xml; charset=utf-8",
            (Format::Xml, true) => "application/fhir+xml; fhirVersion=4.0; charset=utf-8",
        }
    }
}

/// Reads a Content-Type header. 415 where it names something the server does not read or another FHIR version;
/// without a header a body is taken as JSON.
pub fn body_format(content_type: Option<&str>) -> Result<BodyFormat, Problem> {
    let Some(text) = content_type else { return Ok(BodyFormat::Json) };
    let media = Media::parse(text);
    if !media.is_utf8() {
        return Err(unsupported("The charset must be utf-8."));
    }
    if !media.is_r4() {
        return Err(unsupported("fhirVersion must be 4.0: this server speaks FHIR R4 (4.0.1)."));
    }
    match media.name.as_str() {
        "application/fhir+json" | "application/json" | "application/json+fhir" | "text/json" => Ok(BodyFormat::Json),
        "application/fhir+xml" | "application/xml" | "application/xml+fhir" | "text/xml" => Ok(BodyFormat::Xml),
        "application/json-patch+json" => Ok(BodyFormat::JsonPatch),
        "application/x-www-form-urlencoded" => Ok(BodyFormat::Form),
        "application/xml-patch+xml" => Err(unsupported(
            "XML Patch is not offered. Send a JSON Patch (application/json-patch+json) or a FHIRPath Patch (a Parameters \
             resource in application/fhir+json or application/fhir+xml).",
        )),
        _ => Err(unsupported(
            "Content-Type must be application/fhir+json or application/fhir+xml (application/json-patch+json for a patch).",
        )),
    }
}

/// Chooses the format of the answer from `_format`, which wins, and Accept. 406 where nothing fits.
pub fn wanted(accept: Option<&str>, format: Option<&str>, pretty: Option<&str>) -> Result<Wanted, Problem> {
    let (format, versioned) = match format {
        // A plus sign in a query string decodes to a space; `_format=application/fhir+json` is sent that way everywhere.
        Some(text) => {
            let media = Media::parse(&text.replace(' ', "+"));
            let format = of_media(&media).ok_or_else(|| not_acceptable("http.query._format"))?;
            (format, media.version.is_some())
        }
        None => from_accept(accept)?,
    };
    Ok(Wanted { format, pretty: pretty.is_some_and(|text| text.eq_ignore_ascii_case("true")), versioned })
}

/// How well a format fits what Accept names (RFC 9110 section 12.5.1): the quality of the most specific range that covers it,
/// that specificity, and where the range stands.
#[derive(Debug, Clone, Copy)]
struct Fit {
    quality: f32,
    specificity: u8,
    position: usize,
}

impl Fit {
    fn of(format: Format, ranges: &[Media]) -> Option<Self> {
        let mut best: Option<Self> = None;
        for (position, range) in ranges.iter().enumerate() {
            let specificity = range.specificity(format);
            let fit = Self { quality: range.quality, specificity, position };
            let better = |other: Self| (specificity, fit.quality) > (other.specificity, other.quality);
            if specificity > 0 && best.is_none_or(better) {
                best = Some(fit);
            }
        }
        best.filter(|fit| fit.quality > 0.0)
    }

    /// Quality decides, then how precisely the client asked, then the order in which it did.
    fn beats(&self, other: &Self) -> bool {
        let rank = |fit: &Self| (fit.quality, fit.specificity, std::cmp::Reverse(fit.position));
        rank(self) > rank(other)
    }
}

/// The format that fits best, and whether the client named the FHIR version with it.
fn from_accept(accept: Option<&str>) -> Result<(Format, bool), Problem> {
    let Some(text) = accept.filter(|text| !text.trim().is_empty()) else { return Ok((Format::Json, false)) };
    if text == "application/fhir+json" {
        return Ok((Format::Json, false));
    }
    let ranges: Vec<Media> = text.split(',').map(Media::parse).collect();
    // A browser that asks for HTML takes other things too; who takes nothing but HTML cannot be served.
    if ranges.iter().all(|range| range.is_html() || range.is_foreign()) {
        return Err(not_acceptable("http.accept"));
    }
    let (format, fit) = match (Fit::of(Format::Json, &ranges), Fit::of(Format::Xml, &ranges)) {
        (Some(json), Some(xml)) if xml.beats(&json) => (Format::Xml, xml),
        (None, Some(xml)) => (Format::Xml, xml),
        (Some(json), _) => (Format::Json, json),
        (None, None) => return Err(not_acceptable("http.accept")),
    };
    Ok((format, ranges.get(fit.position).is_some_and(|range| range.version.is_some())))
}

/// The format that `_format` names.
fn of_media(media: &Media) -> Option<Format> {
    let fits = |format: &Format| media.specificity(*format) > 0;
    [Format::Json, Format::Xml].into_iter().filter(|_| !media.is_html()).find(fits)
}

/// One media range with the parameters that matter here.
struct Media {
    name: String,
    quality: f32,
    charset: Option<String>,
    version: Option<String>,
}

impl Media {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut media = Self { name, quality: 1.0, charset: None, version: None };
        for part in parts {
            let Some((key, value)) = part.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "q" => media.quality = value.parse().unwrap_or(0.0),
                "charset" => media.charset = Some(value.to_ascii_lowercase()),
                "fhirversion" => media.version = Some(value.to_owned()),
                _ => {}
            }
        }
        media
    }

    /// How precisely this range names the format: 3 by its media type, 2 by `type/*`, 1 by `*/*`, 0 not at all. HTML, which
    /// browsers ask for before anything else, counts as JSON.
    fn specificity(&self, format: Format) -> u8 {
        if !self.is_r4() {
            return 0;
        }
        match (self.name.as_str(), format) {
            (
                "application/fhir+json" | "application/json" | "application/json+fhir" | "text/json" | "json",
                Format::Json,
            )
            | ("application/fhir+xml" | "application/xml" | "application/xml+fhir" | "text/xml" | "xml", Format::Xml) => {
                3
            }
            ("application/*" | "text/*", _) => 2,
            ("*/*", _) => 1,
            (_, Format::Json) if self.is_html() => 1,
            _ => 0,
        }
    }

    fn is_html(&self) -> bool {
        matches!(self.name.as_str(), "text/html" | "html" | "application/xhtml+xml")
    }

    /// True where neither format fits.
    fn is_foreign(&self) -> bool {
        self.specificity(Format::Json) == 0 && self.specificity(Format::Xml) == 0
    }

    fn is_utf8(&self) -> bool {
        self.charset.as_deref().is_none_or(|charset| matches!(charset, "utf-8" | "utf8" | "us-ascii"))
    }

    fn is_r4(&self) -> bool {
        self.version.as_deref().is_none_or(|version| matches!(version, "4.0" | "4.0.0" | "4.0.1"))
    }
}

fn unsupported(text: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType, text).at("http.content-type")
}

fn not_acceptable(place: &str) -> Problem {
    Problem::new(
        Kind::NotAcceptable,
        "This server answers in application/fhir+json or application/fhir+xml (FHIR version 4.0); ask for one of them.",
    )
    .at(place)
}
