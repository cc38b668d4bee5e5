//! Places: `near` on Location (<https://hl7.org/fhir/R4/location.html#positional>). A position is kept as a point of the unit
//! sphere and a distance compared as the straight line through the earth, which needs neither trigonometry in SQL nor special
//! cases at the poles and the date line.

use serde_json::Value;

use super::number::real;
use super::{Shape, Sink};
use crate::search::index::PlaceRow;
use crate::search::query::value::Pieces;
use crate::search::sql::builder::Sql;

/// The mean radius of the earth in kilometres.
const RADIUS: f64 = 6_371.008_8;

/// How far away is near where the search does not say, in kilometres: the specification leaves it to the server.
pub const NEAR: f64 = 25.0;

/// Units of distance with their length in kilometres: UCUM codes, and the short names that clients use.
const UNITS: [(&str, f64); 10] = [
    ("km", 1.0),
    ("m", 0.001),
    ("cm", 0.000_01),
    ("[mi_us]", 1.609_347_218_694_4),
    ("[mi_i]", 1.609_344),
    ("mi", 1.609_344),
    ("[nmi_i]", 1.852),
    ("[ft_i]", 0.000_304_8),
    ("[ft_us]", 0.000_304_800_609_6),
    ("[yd_i]", 0.000_914_4),
];

/// What a `near` value asks for: a point and how long the chord to a place may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// The middle.
    pub point: [f64; 3],
    /// The longest straight line to a place that matches, with the radius of the earth as 1.
    pub chord: f64,
}

/// Rows of a position.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    let degrees = |name: &str| value.get(name).and_then(real);
    if let (Shape::Position, Some(latitude), Some(longitude)) = (shape, degrees("latitude"), degrees("longitude"))
        && latitude.abs() <= 90.0
    {
        let [x, y, z] = point(latitude, longitude);
        sink.rows.places.push(PlaceRow { parameter: sink.codes.own.clone(), x, y, z });
    }
}

fn point(latitude: f64, longitude: f64) -> [f64; 3] {
    let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

impl Near {
    /// Reads `latitude|longitude`, `latitude|longitude|distance` or `latitude|longitude|distance|units`. Errors say what is wrong
    /// with the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pieces: Vec<String> = Pieces::split(text, '|').collect();
        let (latitude, longitude, distance, units) = match pieces.as_slice() {
            [latitude, longitude] => (latitude, longitude, "", ""),
            [latitude, longitude, distance] => (latitude, longitude, distance.as_str(), ""),
            [latitude, longitude, distance, units] => (latitude, longitude, distance.as_str(), units.as_str()),
            _ => return Err("a place is `latitude|longitude|distance|units`".to_owned()),
        };
        let degrees = |text: &str, most: f64| {
            let number = text.parse::<f64>().ok().filter(|number| number.abs() <= most);
            number.ok_or_else(|| {
                format!("latitude and longitude are decimal degrees; this one is from -{most} to {most}")
            })
        };
        let kilometres = if distance.is_empty() { NEAR } else { length(distance, units)? };
        // Half way round the earth is everywhere.
        let angle = (kilometres / RADIUS).min(std::f64::consts::PI);
        Ok(Self {
            point: point(degrees(latitude, 90.0)?, degrees(longitude, 180.0)?),
            chord: 2.0 * (angle / 2.0).sin(),
        })
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        let columns = ["x", "y", "z"].into_iter().zip(self.point);
        for (column, middle) in columns.clone() {
            sql.push(&format!("{alias}.{column} >= ")).real(middle - self.chord);
            sql.push(&format!(" and {alias}.{column} <= ")).real(middle + self.chord).push(" and ");
        }
        for (position, (column, middle)) in columns.enumerate() {
            sql.push(if position == 0 { "" } else { " + " });
            sql.push(&format!("({alias}.{column} - ")).real(middle);
            sql.push(&format!(") * ({alias}.{column} - ")).real(middle).push(")");
        }
        sql.push(" <= ").real(self.chord * self.chord);
    }
}

fn length(distance: &str, units: &str) -> Result<f64, String> {
    let wrong = || "a distance is a number that is not negative".to_owned();
    let number =
        distance.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(wrong)?;
    let unit =
        if units.is_empty() { Some(1.0) } else { UNITS.iter().find(|(code, _)| *code == units).map(|(_, km)| *km) };
    let unit = unit.ok_or_else(|| {
        let known: Vec<&str> = UNITS.iter().map(|(code, _)| *code).collect();
        format!("the unit of a distance is one of {}", known.join(", "))
    })?;
    Ok(number * unit)
}
