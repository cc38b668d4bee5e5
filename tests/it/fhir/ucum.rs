//! Units of measure by the grammar and the tables of UCUM.

use kith::fhir::definitions::Definitions;
use kith::fhir::ucum::{SYSTEM, is_unit, nearest};

#[test]
fn units_of_every_form() {
    for code in [
        "m",
        "kg",
        "mg/dL",
        "m2",
        "m-2",
        "s-1",
        "/min",
        "mm[Hg]",
        "10*9/L",
        "10^3/uL",
        "10*-3",
        "10*+3",
        "{score}",
        "mg{total}/d",
        "{beats}/min",
        "kg/(8.min)",
        "(mg/dL)",
        "1",
        "100",
        "%",
        "[degF]",
        "Cel",
        "[in_i]",
        "[in_i'H2O]",
        "ug.h/mL",
        "m2{a b}",
        "1/{tot}",
        "B[10.nV]",
        "mB[uV]",
        "[m/s2/Hz^(1/2)]",
        "Kibit",
        "mo",
        "wk",
        "'",
        "''",
        "[IU]/L",
        "k[IU]/mL",
        "mmol/mol{creat}",
        "g%",
        "kcal/[oz_av]",
        "/(m2.d)",
        "dam",
        "cal_[15]",
        "m[H2O]",
        "cm[H2O]",
    ] {
        assert!(is_unit(code), "{code}");
    }
}

#[test]
fn what_is_no_unit() {
    for code in [
        "", "/", "kgs", "KG", "MG/DL", "mmHg", "m/", "m//s", "m..s", ".m", "m.", "(m", "m)", "()", "m()", "{a", "a}",
        "{a{b}}", "{\u{e9}}", "\u{b5}g", "m{a}2", "{a}m", "m2m", "2m", "m+", "m-", "-1", "kmin", "k%", "mm mm", " m",
        "m ", "m^2", "10*3.5x", "x10*9/L", "[in]", "[degF", "lb", "hr", "degC", "IU", "kk g", "dada", "cm[H20]",
        "k10*", "m2.", "((((m))",
    ] {
        assert!(!is_unit(code), "{code}");
    }
    assert!(!is_unit(&format!("{}m{}", "(".repeat(100_000), ")".repeat(100_000))));
    assert!(!is_unit(&"m.".repeat(100_000)));
    assert!(is_unit(&format!("{}m", "m.".repeat(100_000))));
}

#[test]
fn the_nearest_unit() {
    for (wrong, right) in [
        ("kgs", "kg"),
        ("KG", "kg"),
        ("mmHg", "mm[Hg]"),
        ("MMOL/L", "mmol/L"),
        ("mcg/mL", "ug/mL"),
        ("\u{b5}g/l", "ug/l"),
        ("lbs", "[lb_av]"),
        ("mg/hr", "mg/h"),
        ("bpm", "/min"),
        ("degC", "Cel"),
        ("IU/mL", "[IU]/mL"),
        ("x10^9/L", "10*9/L"),
        ("in_i", "[in_i]"),
        ("kg/M2", "kg/m2"),
        ("umols/L", "umol/L"),
        ("tab", "{tbl}"),
    ] {
        assert_eq!(nearest(wrong).as_deref(), Some(right), "{wrong}");
        assert!(is_unit(right), "{right}");
    }
    for hopeless in ["", "/", "zzzzqq", "m)", "{\u{e9}}"] {
        assert_eq!(nearest(hopeless), None, "{hopeless}");
    }
}

/// HL7's own value sets are the witness.
#[test]
fn units_in_value_sets_of_r4_are_units() {
    let definitions = Definitions::embedded();
    let mut seen = 0;
    for (_, canonical) in definitions.canonicals("ValueSet") {
        let Some(set) = definitions.value_set(&canonical) else { continue };
        let clauses = set.compose.include.iter().filter(|clause| clause.system.as_deref() == Some(SYSTEM));
        for concept in clauses.flat_map(|clause| &clause.concepts) {
            assert!(is_unit(&concept.code), "{} in {canonical}", concept.code);
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}
