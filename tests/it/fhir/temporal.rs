//! Dates and times: the intervals they cover, partial forms, and instants written as text, against jiff.

use kith::fhir::temporal::{DateTime, Fault, Precision, Time, format_instant};
use proptest::prelude::*;

fn interval(text: &str) -> (String, String) {
    let (low, high) = DateTime::parse_partial(text).unwrap().interval();
    (format_instant(low), format_instant(high))
}

#[test]
fn a_partial_value_covers_its_whole_period() {
    let table = [
        ("2026", "2026-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("2026-12", "2026-12-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("2024-02", "2024-02-01T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"),
        ("2026-11-21T10", "2026-11-21T10:00:00.000000Z", "2026-11-21T11:00:00.000000Z"),
        ("2026-11-21T10:30+01:00", "2026-11-21T09:30:00.000000Z", "2026-11-21T09:31:00.000000Z"),
        ("2026-11-21T10:30:15-05:00", "2026-11-21T15:30:15.000000Z", "2026-11-21T15:30:16.000000Z"),
        ("2026-11-21T10:30:15.12Z", "2026-11-21T10:30:15.120000Z", "2026-11-21T10:30:15.130000Z"),
        ("2026-11-21T10:30:15.1234567Z", "2026-11-21T10:30:15.123456Z", "2026-11-21T10:30:15.123457Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z", "2017-01-01T00:00:01.000000Z"),
    ];
    for (text, low, high) in table {
        assert_eq!(interval(text), (low.to_owned(), high.to_owned()), "{text}");
    }
}

#[test]
fn faults_say_what_is_wrong() {
    assert_eq!(DateTime::parse("2026-02-30"), Err(Fault::NoSuchDay));
    assert_eq!(DateTime::parse("2026-02-03T10:00:00"), Err(Fault::NoZone));
    assert_eq!(DateTime::parse_instant("2026-02-03"), Err(Fault::TooCoarse));
    assert_eq!(DateTime::parse_date("2026-02-03T10:00:00Z"), Err(Fault::Format));
    assert_eq!(DateTime::parse("26-02-03"), Err(Fault::Format));
}

#[test]
fn precision_and_zone_are_kept() {
    let value = DateTime::parse("2026-11-21T10:00:00.500-05:30").unwrap();
    assert_eq!((value.precision, value.zone), (Precision::Fraction(3), Some(-330)));
    assert_eq!(DateTime::parse_partial("2026-11-21T10:00").unwrap().zone, None);
    assert_eq!(Time::parse("10:00"), Err(Fault::Format));
    assert_eq!(Time::parse_partial("10:00").unwrap().precision, Precision::Minute);
    assert_eq!(Time::parse("23:59:59.25").unwrap().nanosecond, 250_000_000);
}

#[test]
fn instants_outside_the_calendar_are_held_at_its_ends() {
    assert_eq!(format_instant(i64::MIN), "0001-01-01T00:00:00.000000Z");
    assert_eq!(format_instant(i64::MAX), "9999-12-31T23:59:59.999999Z");
}

proptest! {
    #[test]
    fn instants_round_trip_and_agree_with_jiff(micros in -62_135_596_800_000_000_i64..=253_370_764_799_999_999) {
        let text = format_instant(micros);
        prop_assert_eq!(DateTime::parse_instant(&text).unwrap().instant(), micros);
        let timestamp = jiff::Timestamp::from_microsecond(micros).unwrap();
        prop_assert_eq!(text, timestamp.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string());
    }

    #[test]
    fn any_interval_is_not_empty(text in "[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,12})?)?)?)?)?)?") {
        if let Ok(value) = DateTime::parse_partial(&text) {
            let (low, high) = value.interval();
            prop_assert!(low < high);
        }
    }
}
