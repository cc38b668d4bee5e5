//! The part of UCUM that FHIRPath needs: a unit as a factor times powers of base units (<https://ucum.org/ucum>).
//! Units that are not in the table count as base units of their own, so that equal codes still compare.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// A unit reduced to base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// How many of the base units one of this unit is.
    pub(super) factor: Decimal,
    /// Base unit to exponent; none is zero.
    pub(super) dimensions: BTreeMap<String, i32>,
}

/// A table row: code, factor, base units with their exponents.
type Row = (&'static str, &'static str, &'static [(&'static str, i32)]);

/// Metric atoms (they take prefixes): code, factor, base units.
const METRIC: [Row; 34] = [
    ("m", "1", &[("m", 1)]),
    ("g", "1", &[("g", 1)]),
    ("s", "1", &[("s", 1)]),
    ("K", "1", &[("K", 1)]),
    ("C", "1", &[("C", 1)]),
    ("cd", "1", &[("cd", 1)]),
    ("mol", "602214076000000000000000", &[]),
    ("l", "0.001", &[("m", 3)]),
    ("L", "0.001", &[("m", 3)]),
    ("Hz", "1", &[("s", -1)]),
    ("N", "1000", &[("g", 1), ("m", 1), ("s", -2)]),
    ("Pa", "1000", &[("g", 1), ("m", -1), ("s", -2)]),
    ("J", "1000", &[("g", 1), ("m", 2), ("s", -2)]),
    ("W", "1000", &[("g", 1), ("m", 2), ("s", -3)]),
    ("A", "1", &[("C", 1), ("s", -1)]),
    ("t", "1000000", &[("g", 1)]),
    ("eq", "602214076000000000000000", &[]),
    ("osm", "602214076000000000000000", &[]),
    ("kat", "602214076000000000000000", &[("s", -1)]),
    ("U", "10036901266666666.666666666667", &[("s", -1)]),
    ("bar", "100000000", &[("g", 1), ("m", -1), ("s", -2)]),
    ("V", "1000", &[("C", -1), ("g", 1), ("m", 2), ("s", -2)]),
    ("Ohm", "1000", &[("C", -2), ("g", 1), ("m", 2), ("s", -1)]),
    ("S", "0.001", &[("C", 2), ("g", -1), ("m", -2), ("s", 1)]),
    ("F", "0.001", &[("C", 2), ("g", -1), ("m", -2), ("s", 2)]),
    ("T", "1000", &[("C", -1), ("g", 1), ("s", -1)]),
    ("lm", "1", &[("cd", 1)]),
    ("lx", "1", &[("cd", 1), ("m", -2)]),
    ("Bq", "1", &[("s", -1)]),
    ("Gy", "1", &[("m", 2), ("s", -2)]),
    ("Sv", "1", &[("m", 2), ("s", -2)]),
    ("[IU]", "1", &[("[IU]", 1)]),
    ("[iU]", "1", &[("[IU]", 1)]),
    ("rad", "1", &[]),
];

/// Atoms without prefixes.
const PLAIN: [Row; 44] = [
    ("1", "1", &[]),
    ("%", "0.01", &[]),
    ("min", "60", &[("s", 1)]),
    ("h", "3600", &[("s", 1)]),
    ("d", "86400", &[("s", 1)]),
    ("wk", "604800", &[("s", 1)]),
    ("mo", "2629800", &[("s", 1)]),
    ("a", "31557600", &[("s", 1)]),
    ("[in_i]", "0.0254", &[("m", 1)]),
    ("[ft_i]", "0.3048", &[("m", 1)]),
    ("[yd_i]", "0.9144", &[("m", 1)]),
    ("[mi_i]", "1609.344", &[("m", 1)]),
    ("[lb_av]", "453.59237", &[("g", 1)]),
    ("[oz_av]", "28.349523125", &[("g", 1)]),
    ("[stone_av]", "6350.29318", &[("g", 1)]),
    ("m[Hg]", "133322000", &[("g", 1), ("m", -1), ("s", -2)]),
    ("mm[Hg]", "133322", &[("g", 1), ("m", -1), ("s", -2)]),
    ("cal", "4184", &[("g", 1), ("m", 2), ("s", -2)]),
    ("kcal", "4184000", &[("g", 1), ("m", 2), ("s", -2)]),
    ("[pH]", "1", &[("[pH]", 1)]),
    ("10*", "10", &[]),
    ("10^", "10", &[]),
    ("[ppth]", "0.001", &[]),
    ("[ppm]", "0.000001", &[]),
    ("[ppb]", "0.000000001", &[]),
    ("mo_j", "2629800", &[("s", 1)]),
    ("a_j", "31557600", &[("s", 1)]),
    ("[mi_us]", "1609.3472186944", &[("m", 1)]),
    ("[ft_us]", "0.3048006096012", &[("m", 1)]),
    ("[nmi_i]", "1852", &[("m", 1)]),
    ("[gr]", "0.06479891", &[("g", 1)]),
    ("[dr_av]", "1.7718451953125", &[("g", 1)]),
    ("[gal_us]", "0.003785411784", &[("m", 3)]),
    ("[qt_us]", "0.000946352946", &[("m", 3)]),
    ("[pt_us]", "0.000473176473", &[("m", 3)]),
    ("[cup_us]", "0.0002365882365", &[("m", 3)]),
    ("[foz_us]", "0.0000295735295625", &[("m", 3)]),
    ("[tbs_us]", "0.00001478676478125", &[("m", 3)]),
    ("[tsp_us]", "0.00000492892159375", &[("m", 3)]),
    ("[drp]", "0.00000005", &[("m", 3)]),
    ("[psi]", "6894757.2932", &[("g", 1), ("m", -1), ("s", -2)]),
    ("cm[H2O]", "98066.5", &[("g", 1), ("m", -1), ("s", -2)]),
    ("m[H2O]", "9806650", &[("g", 1), ("m", -1), ("s", -2)]),
    ("[Cal]", "4184000", &[("g", 1), ("m", 2), ("s", -2)]),
];

const PREFIXES: [(&str, &str); 16] = [
    ("da", "10"),
    ("d", "0.1"),
    ("c", "0.01"),
    ("m", "0.001"),
    ("u", "0.000001"),
    ("n", "0.000000001"),
    ("p", "0.000000000001"),
    ("f", "0.000000000000001"),
    ("a", "0.000000000000000001"),
    ("h", "100"),
    ("k", "1000"),
    ("M", "1000000"),
    ("G", "1000000000"),
    ("T", "1000000000000"),
    ("P", "1000000000000000"),
    ("E", "1000000000000000000"),
];

impl Unit {
    fn one() -> Self {
        Self { factor: Decimal::ONE, dimensions: BTreeMap::new() }
    }

    /// A UCUM code such as `mg/dL` or `m2`. Nothing where the factor is out of range.
    pub(super) fn parse(code: &str) -> Option<Self> {
        let mut unit = Self::one();
        let mut sign = 1;
        let mut rest = code;
        while !rest.is_empty() {
            let end = term_end(rest);
            let (term, after) = rest.split_at_checked(end)?;
            if !term.is_empty() {
                unit = unit.product(&Self::term(term)?, sign)?;
            }
            sign = if after.starts_with('/') { -1 } else { 1 };
            rest = after.get(1..).unwrap_or_default();
        }
        Some(unit)
    }

    /// A calendar word. Years and months are no number of seconds; the others are
    /// (<https://hl7.org/fhirpath/N1/#time-valued-quantities>).
    pub(super) fn calendar(word: &str) -> Option<Self> {
        let months = |factor: i64| {
            let dimensions = BTreeMap::from([("calendar month".to_owned(), 1)]);
            Some(Self { factor: Decimal::from(factor), dimensions })
        };
        match word.trim_end_matches('s') {
            "year" => months(12),
            "month" => months(1),
            "week" => Self::parse("wk"),
            "day" => Self::parse("d"),
            "hour" => Self::parse("h"),
            "minute" => Self::parse("min"),
            "second" => Self::parse("s"),
            "millisecond" => Self::parse("ms"),
            _ => None,
        }
    }

    /// An atom with an optional prefix and exponent; annotations in braces count for nothing.
    fn term(text: &str) -> Option<Self> {
        let bare = text.split('{').next().unwrap_or_default();
        if bare.is_empty() {
            return Some(Self::one());
        }
        if let Ok(number) = bare.parse::<u32>() {
            return Some(Self { factor: Decimal::from(number), dimensions: BTreeMap::new() });
        }
        let digits = bare.len() - bare.trim_end_matches(|character: char| character.is_ascii_digit()).len();
        let (mut atom, exponent) = bare.split_at_checked(bare.len() - digits)?;
        let mut power = exponent.parse::<i32>().unwrap_or(1);
        if let Some(shorter) = atom.strip_suffix('-').filter(|_| digits > 0) {
            atom = shorter;
            power = -power;
        }
        let unit = Self::atom(atom);
        let mut product = Self::one();
        for _ in 0..power.unsigned_abs().min(12) {
            product = product.product(&unit, power.signum())?;
        }
        Some(product)
    }

    fn atom(atom: &str) -> Self {
        let find = |table: &[Row], code: &str| {
            let (_, factor, dimensions) = table.iter().find(|(known, ..)| *known == code)?;
            let dimensions = dimensions.iter().map(|(name, power)| ((*name).to_owned(), *power)).collect();
            Some(Self { factor: Decimal::from_str(factor).ok()?, dimensions })
        };
        let prefixed = || {
            PREFIXES.iter().find_map(|(prefix, factor)| {
                let unit = find(&METRIC, atom.strip_prefix(prefix)?)?;
                Some(Self { factor: unit.factor.checked_mul(Decimal::from_str(factor).ok()?)?, ..unit })
            })
        };
        find(&PLAIN, atom)
            .or_else(|| find(&METRIC, atom))
            .or_else(prefixed)
            .unwrap_or_else(|| Self { factor: Decimal::ONE, dimensions: BTreeMap::from([(atom.to_owned(), 1)]) })
    }

    fn product(&self, other: &Self, sign: i32) -> Option<Self> {
        let factor =
            if sign < 0 { self.factor.checked_div(other.factor) } else { self.factor.checked_mul(other.factor) };
        Some(Self { factor: factor?, ..self.combine(other, sign) })
    }

    /// The base units of the product (sign 1) or quotient (sign -1), with factor 1.
    pub(super) fn combine(&self, other: &Self, sign: i32) -> Self {
        let mut dimensions = self.dimensions.clone();
        for (name, power) in &other.dimensions {
            let entry = dimensions.entry(name.clone()).or_default();
            *entry = entry.saturating_add(power * sign);
        }
        dimensions.retain(|_, power| *power != 0);
        Self { factor: Decimal::ONE, dimensions }
    }
}

/// Where the term ends: at the next `.` or `/` outside brackets and braces.
fn term_end(text: &str) -> usize {
    let mut nesting = 0_i32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => nesting += 1,
            b']' | b'}' => nesting -= 1,
            b'.' | b'/' if nesting <= 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// The code of the base units, for example `g.m-1`; `1` where there are none.
impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dimensions.is_empty() {
            return formatter.write_str("1");
        }
        for (at, (name, power)) in self.dimensions.iter().enumerate() {
            formatter.write_str(if at > 0 { "." } else { "" })?;
            formatter.write_str(name)?;
            if *power != 1 {
                write!(formatter, "{power}")?;
            }
        }
        Ok(())
    }
}
