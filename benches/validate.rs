//! What validation costs: `cargo bench --bench validate`. Parse excluded, and measured beside it. The UK Core examples
//! come from the reference data (`KITH_SHARED_DATA` or `../shared/data`); without it the sample resources stand in.
#![allow(missing_docs, clippy::unwrap_used, clippy::allow_attributes, reason = "a benchmark may fail loudly")]

mod inputs;

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use kith::fhir::codec::{Limits, json, xml};
use kith::fhir::definitions::Definitions;
use kith::fhir::types::Types;
use kith::terminology::Terminology;
use kith::validate::{Options, Settings, Validator};
use serde_json::Value;

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example(name: &str, fixture: &str) -> Value {
    let shared = std::env::var_os("KITH_SHARED_DATA").map(PathBuf::from).or_else(|| {
        let folders = crate_folder().ancestors().map(|folder| folder.join("shared/data"));
        folders.into_iter().find(|folder| folder.is_dir())
    });
    let file = shared.map(|folder| folder.join("uk-core/examples").join(name)).filter(|file| file.is_file());
    match file {
        Some(file) => xml::parse(&std::fs::read(file).unwrap(), &Limits::default(), Types::r4()).unwrap(),
        None => sample(fixture),
    }
}

fn sample(name: &str) -> Value {
    let file = crate_folder().join("fixtures/valid").join(name);
    json::parse(&std::fs::read(file).unwrap(), &Limits::default()).unwrap()
}

fn validation(criterion: &mut Criterion) {
    let validator = Validator::new(Definitions::embedded(), Settings::default()).unwrap();
    let options = Options::default();
    let inputs = [
        (
            "UK Core ServiceRequest",
            example("UKCore-ServiceRequest-ColonoscopyRequest-Example.xml", "ServiceRequest-ada-walking.json"),
        ),
        ("UK Core Patient", example("UKCore-Patient-RichardSmith-Example.xml", "Patient-ada-thistlewood.json")),
        ("KithReferral", sample("ServiceRequest-ada-walking.json")),
        ("KithPatient", sample("Patient-ada-thistlewood.json")),
        ("KithReferralTask", sample("Task-completed.json")),
        ("Bundle of a referral", sample("Bundle-direct-referral.json")),
        ("Questionnaire of 50 items", inputs::questionnaire()),
        ("message of 100 entries", inputs::message()),
    ];
    let mut group = criterion.benchmark_group("validate");
    for (name, resource) in &inputs {
        group.bench_function(*name, |bencher| bencher.iter(|| validator.validate(black_box(resource), &options)));
    }
    let message = inputs::message();
    let divided = Options { parallel: true, ..Options::default() };
    group.bench_function("message of 100 entries, on every core", |bencher| {
        bencher.iter(|| validator.validate(black_box(&message), &divided));
    });
    group.finish();
    let mut group = criterion.benchmark_group("parse");
    for (name, resource) in &inputs {
        let text = json::to_bytes(resource);
        group.bench_function(*name, |bencher| {
            bencher.iter(|| json::parse(black_box(&text), &Limits::default()).unwrap());
        });
    }
    group.finish();
}

fn membership(criterion: &mut Criterion) {
    let terminology = Terminology::new(Definitions::embedded());
    let gender = "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1";
    criterion.bench_function("terminology/member of a value set", |bencher| {
        bencher.iter(|| terminology.member(black_box(gender), None, black_box("female")));
    });
}

fn start(criterion: &mut Criterion) {
    let definitions = Definitions::embedded();
    let mut group = criterion.benchmark_group("start");
    group.sample_size(10);
    group.bench_function("a validator, nothing compiled yet", |bencher| {
        bencher.iter(|| Validator::new(definitions.clone(), Settings::default()).unwrap());
    });
    group.bench_function("every definition compiled", |bencher| {
        bencher.iter(|| Validator::new(definitions.clone(), Settings::default()).unwrap().compile_all().len());
    });
    group.finish();
}

criterion_group!(benches, validation, membership, start);
criterion_main!(benches);
