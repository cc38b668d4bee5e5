//! Validation of a folder of resources in this process: verdict and mean processor time of each, as lines of
//! `name TAB verdict TAB microseconds`. `benches/side-by-side/run.sh` compares them with what other validators need:
//! `cargo bench --bench side_by_side -- FOLDER`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a benchmark may fail loudly"
)]

use std::hint::black_box;
use std::path::PathBuf;

use kith::fhir::codec::{Limits, json};
use kith::fhir::definitions::Definitions;
use kith::fhir::issue::Issue;
use kith::validate::{Options, Settings, Validator};

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Processor time of this thread, in microseconds.
fn spent() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e3
}

fn main() {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else { return };
    let validator = Validator::new(Definitions::embedded(), Settings::default()).unwrap();
    let options = Options::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let resource = json::parse(&std::fs::read(&file).unwrap(), &Limits::default()).unwrap();
        let is_valid = !validator.validate(&resource, &options).iter().any(Issue::is_error);
        let (start, mut runs) = (spent(), 0_u32);
        while spent() - start < 3e5 {
            for _ in 0..100 {
                black_box(validator.validate(black_box(&resource), &options));
            }
            runs += 100;
        }
        let verdict = if is_valid { "valid" } else { "invalid" };
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        println!("{name}\t{verdict}\t{:.1}", (spent() - start) / f64::from(runs));
    }
}
