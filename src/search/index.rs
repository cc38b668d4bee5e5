//! The index rows of one resource: plain data that `search::extract` makes and the store keeps, one list (and one table) per
//! search type. A row carries its search parameter's code; the store keeps a small integer per (resource type, code).
//!
//! The same search must not meet two rows of one meaning, so pseudo-codes hold what is searched differently:
//! `subject:identifier` (token rows) for logical references, `code:text` (string rows) for displays,
//! `identifier:of-type` (token rows, code `typecode|value`) and so on. Codes are free text here; the query side uses the same.

use std::sync::Arc;

use crate::clock::Micros;

/// Code of a search parameter within its resource type, or a pseudo-code built on one. Shared, so that a row costs no copy.
pub type ParameterCode = Arc<str>;

/// Everything that is searchable about one version of one resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IndexRows {
    /// By which set of search parameters they were made; see `Registry::generation`.
    pub generation: i64,
    /// Codes, identifiers, booleans.
    pub tokens: Vec<TokenRow>,
    /// Names, addresses, free text.
    pub strings: Vec<StringRow>,
    /// Dates, instants, periods, timings.
    pub dates: Vec<DateRow>,
    /// Plain numbers.
    pub numbers: Vec<NumberRow>,
    /// Quantities, money, ranges.
    pub quantities: Vec<QuantityRow>,
    /// Literal references.
    pub references: Vec<ReferenceRow>,
    /// Uris and canonicals.
    pub uris: Vec<UriRow>,
    /// Values of composite parameters.
    pub components: Vec<ComponentRow>,
    /// Positions on earth.
    pub places: Vec<PlaceRow>,
    /// Words of the narrative and of the whole resource.
    pub texts: Vec<TextRow>,
}

/// A code with the system it belongs to (<https://hl7.org/fhir/R4/search.html#token>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// The system; empty where the element has none.
    pub system: String,
    /// The code or value; empty where only a system is known.
    pub code: String,
}

/// A text, folded for comparison and as it stands (<https://hl7.org/fhir/R4/search.html#string>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// Case, accents and width removed; compared as a prefix and used for sorting.
    pub folded: String,
    /// As written, for `:exact`.
    pub exact: String,
}

/// A time as the interval it means: `low` inclusive, `high` exclusive (<https://hl7.org/fhir/R4/search.html#date>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// First instant; `Micros::MIN` where the period has no start.
    pub low: Micros,
    /// First instant after; `Micros::MAX` where the period has no end.
    pub high: Micros,
}

/// A number as the interval its precision means (<https://hl7.org/fhir/R4/search.html#number>).
#[derive(Debug, Clone, PartialEq)]
pub struct NumberRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// Lowest value meant.
    pub low: f64,
    /// Highest value meant.
    pub high: f64,
}

/// A quantity as the interval its precision means, with its unit (<https://hl7.org/fhir/R4/search.html#quantity>).
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// System of the unit code; empty where there is none.
    pub system: String,
    /// Unit code, or the unit's text where there is no code; may be empty.
    pub code: String,
    /// Lowest value meant.
    pub low: f64,
    /// Highest value meant.
    pub high: f64,
}

/// A literal reference (<https://hl7.org/fhir/R4/search.html#reference>). References to this server are held as type and id,
/// others as the whole url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// Resource type of the target; empty where it cannot be told.
    pub target_type: String,
    /// Logical id of the target on this server, or an absolute url or urn (an id has no colon, so both fit one column).
    pub target_id: String,
}

/// A uri, url or canonical (<https://hl7.org/fhir/R4/search.html#uri>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// The uri as written.
    pub value: String,
}

/// A value of one component of a composite parameter (<https://hl7.org/fhir/R4/search.html#composite>): the columns that a row
/// of the component's type has, under the code `composite$number`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComponentRow {
    /// Which composite and component.
    pub parameter: ParameterCode,
    /// Which element of the resource: values with the same number belong together.
    pub ordinal: i64,
    /// As in [`TokenRow`] and [`QuantityRow`].
    pub code: Option<String>,
    /// As in [`TokenRow`] and [`QuantityRow`].
    pub system: Option<String>,
    /// As in [`StringRow`].
    pub folded: Option<String>,
    /// As in [`StringRow`].
    pub exact: Option<String>,
    /// As in [`ReferenceRow`].
    pub target_id: Option<String>,
    /// As in [`ReferenceRow`].
    pub target_type: Option<String>,
    /// As in [`UriRow`].
    pub value: Option<String>,
    /// As in [`NumberRow`] and [`QuantityRow`].
    pub low: Option<f64>,
    /// As in [`NumberRow`] and [`QuantityRow`].
    pub high: Option<f64>,
    /// The first instant, as `low` in [`DateRow`].
    pub earliest: Option<Micros>,
    /// The first instant after, as `high` in [`DateRow`].
    pub latest: Option<Micros>,
}

/// A position on earth as a point of the unit sphere: the chord between two points says how far they are apart.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceRow {
    /// Which parameter.
    pub parameter: ParameterCode,
    /// Towards latitude 0, longitude 0.
    pub x: f64,
    /// Towards latitude 0, longitude 90 east.
    pub y: f64,
    /// Towards the north pole.
    pub z: f64,
}

/// The words of a text, folded, each between two spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// `_text` or `_content`.
    pub parameter: ParameterCode,
    /// The words with a space before, between and after.
    pub words: String,
}

impl IndexRows {
    /// How many rows each list has, in the order of the fields.
    #[must_use]
    pub const fn counts(&self) -> [usize; 10] {
        [
            self.tokens.len(),
            self.strings.len(),
            self.dates.len(),
            self.numbers.len(),
            self.quantities.len(),
            self.references.len(),
            self.uris.len(),
            self.components.len(),
            self.places.len(),
            self.texts.len(),
        ]
    }

    /// How many rows there are in all lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts().iter().sum()
    }

    /// True where nothing is searchable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
