//! All instances of the official package hl7.fhir.r4.examples: none panics, and every error reported on one is listed with
//! its reason in `conformance/validator/r4-examples-errors.txt`. `KITH_R4_EXAMPLES` names the package, unpacked or as .tgz.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use kith::fhir::codec::{Limits, json};
use kith::validate::Options;

use super::validator;
use crate::support::files;

#[test]
fn official_examples_have_only_listed_errors() {
    let Some(package) = std::env::var_os("KITH_R4_EXAMPLES").map(PathBuf::from) else {
        eprintln!("KITH_R4_EXAMPLES names no package of official examples: this comparison did not run");
        return;
    };
    let listed = listed();
    let mut unlisted: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut used: BTreeMap<&str, usize> = listed.keys().map(|key| (key.as_str(), 0)).collect();
    let instances = instances(&package);
    for (name, place, text) in errors_of_all(&instances) {
        match used.iter_mut().find(|(key, _)| covers(key, &name, &place)) {
            Some((_, found)) => *found += 1,
            None => unlisted.entry(format!("{name}: {place}")).or_insert_with(|| (0, text)).0 += 1,
        }
    }
    let count = instances.len();
    eprintln!("{count} official examples validated");
    let settled: Vec<_> = used.iter().filter(|(_, found)| **found == 0).map(|(key, _)| key).collect();
    assert!(unlisted.is_empty() && settled.is_empty(), "not listed: {unlisted:#?}\nlisted, not found: {settled:#?}");
}

/// File, rule with place, and text of every error, found by as many threads as the machine runs at once.
fn errors_of_all(instances: &[(String, Vec<u8>)]) -> Vec<(String, String, String)> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let parts = instances.chunks(instances.len().div_ceil(threads).max(1));
        let handles: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().flat_map(errors_of).collect::<Vec<_>>())).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    })
}

fn errors_of((name, bytes): &(String, Vec<u8>)) -> Vec<(String, String, String)> {
    let limits = Limits { bytes: 64 << 20, ..Limits::default() };
    let Ok(resource) = json::parse(bytes, &limits) else { panic!("{name} cannot be read") };
    let issues = validator().validate(&resource, &Options::default());
    let errors = issues.into_iter().filter(kith::fhir::issue::Issue::is_error);
    let place = |issue: &kith::fhir::issue::Issue| pattern(issue.expression.as_deref().unwrap_or_default());
    errors.map(|issue| (name.clone(), format!("{}: {}", issue.rule, place(&issue)), issue.text)).collect()
}

/// Whether a line is about this file and place; a file name may end in `*`, an expression may be `*`.
fn covers(key: &str, name: &str, place: &str) -> bool {
    key.split_once(": ").is_some_and(|(file, listed)| {
        let is_place = listed.strip_suffix('*').map_or(listed == place, |rule| place.starts_with(rule));
        is_place && file.strip_suffix('*').map_or(file == name, |start| name.starts_with(start))
    })
}

/// An expression without indexes.
fn pattern(expression: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for letter in expression.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ if !inside => plain.push(letter),
            _ => {}
        }
    }
    plain
}

/// Lines `file: rule: expression: reason`.
fn listed() -> BTreeMap<String, String> {
    let text = include_str!("../../../conformance/validator/r4-examples-errors.txt");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(4, ": ").collect();
            let [file, rule, expression, reason] = parts[..] else {
                panic!("not `file: rule: expression: reason`: {line}")
            };
            (format!("{file}: {rule}: {expression}"), reason.to_owned())
        })
        .collect()
}

/// Names and texts of the instances.
fn instances(package: &Path) -> Vec<(String, Vec<u8>)> {
    let is_instance = |name: &str| {
        Path::new(name).extension().is_some_and(|extension| extension == "json")
            && !name.starts_with(['.', '_'])
            && name != "package.json"
    };
    if package.is_dir() {
        let found = files(package, "json").into_iter();
        let named = found.map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), file));
        return named
            .filter(|(name, _)| is_instance(name))
            .map(|(name, file)| (name, std::fs::read(file).unwrap()))
            .collect();
    }
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(package).unwrap()));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_instance(&name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found.push((name, bytes));
        }
    }
    found
}
