//! What SNOMED CT costs: `cargo bench --bench terminology`. A release of invented concepts is written, loaded by the command and
//! read back as at start, with the times and the memory that this takes; then single questions are measured. `KITH_BENCH_CONCEPTS`
//! is the number of concepts (100,000 without it; a full UK edition has some 1,100,000).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a benchmark may fail loudly"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use kith::clock::Clock;
use kith::commands::terminology::{LoadArgs, TerminologyCommand, carry_out};
use kith::config::{self, Flags};
use kith::fhir::definitions::Definitions;
use kith::fhir::definitions::package::{Manifest, Package};
use kith::interactions::editions;
use kith::store::{Store, StoreSettings};
use kith::terminology::snomed::{SYSTEM, has_check_digit};
use kith::terminology::{Editions, Terminology};
use serde_json::json;

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const IS_A: &str = "116680003";
const SET: u64 = 3;

/// An identifier with its check digit: partition 0 concepts, 1 descriptions, 2 relationships.
fn id(number: u64, partition: u64) -> String {
    let base = format!("{number}99999991{partition}");
    (0..10).map(|digit| format!("{base}{digit}")).find(|id| has_check_digit(id)).unwrap()
}

struct Files {
    concepts: BufWriter<File>,
    descriptions: BufWriter<File>,
    languages: BufWriter<File>,
    relationships: BufWriter<File>,
    members: BufWriter<File>,
    descriptions_written: u64,
    relationships_written: u64,
}

impl Files {
    fn new(folder: &Path) -> Self {
        let open = |name: &str| {
            let mut file = BufWriter::new(File::create(folder.join(name)).unwrap());
            writeln!(file, "columns").unwrap();
            file
        };
        Self {
            concepts: open("sct2_Concept_Snapshot_EX_20260401.txt"),
            descriptions: open("sct2_Description_Snapshot-en_EX_20260401.txt"),
            languages: open("der2_cRefset_LanguageSnapshot-en_EX_20260401.txt"),
            relationships: open("sct2_Relationship_Snapshot_EX_20260401.txt"),
            members: open("der2_Refset_SimpleSnapshot_EX_20260401.txt"),
            descriptions_written: 0,
            relationships_written: 0,
        }
    }

    fn concept(&mut self, concept: &str, active: bool) {
        let active = u8::from(active);
        writeln!(self.concepts, "{concept}\t20260401\t{active}\t{}\t900000000000074008", id(1, 0)).unwrap();
    }

    fn description(&mut self, concept: &str, full: bool, text: &str) {
        self.descriptions_written += 1;
        let (own, module) = (id(self.descriptions_written, 1), id(1, 0));
        let kind = if full { "900000000000003001" } else { "900000000000013009" };
        writeln!(self.descriptions, "{own}\t20260401\t1\t{module}\t{concept}\ten\t{kind}\t{text}\t900000000000448009")
            .unwrap();
        for language in ["900000000000508004", "900000000000509007"] {
            writeln!(
                self.languages,
                "00000000-0000-4000-8000-000000000000\t20260401\t1\t{module}\t{language}\t{own}\t900000000000548007"
            )
            .unwrap();
        }
    }

    fn relationship(&mut self, source: &str, target: &str, group: u8, name: &str, active: bool) {
        self.relationships_written += 1;
        let (own, module, active) = (id(self.relationships_written, 2), id(1, 0), u8::from(active));
        writeln!(
            self.relationships,
            "{own}\t20260401\t{active}\t{module}\t{source}\t{target}\t{group}\t{name}\t900000000000011006\t900000000000451002"
        )
        .unwrap();
    }
}

/// Concepts in a tree of eight branches at each, every third with a second parent, every fifth inactive at the end, attributes and
/// members of a set; descriptions of the usual length.
fn write_release(folder: &Path, count: u64) {
    let mut files = Files::new(folder);
    files.concept(IS_A, true);
    for number in 1..=count {
        let (own, active) = (id(number, 0), number < count / 5 * 4);
        files.concept(&own, active);
        files.description(&own, true, &format!("Invented concept of the bench with the number {number} (invented)"));
        files.description(&own, false, &format!("Invented concept number {number}"));
        if number > 1 {
            let parent = id(number.div_ceil(8), 0);
            files.relationship(&own, &parent, 0, IS_A, active);
            if number % 3 == 0 {
                files.relationship(&own, &id(number.div_ceil(8).max(2) - 1, 0), 0, IS_A, active);
            }
            if number % 2 == 0 {
                files.relationship(&own, &id(number / 2, 0), 1, &id(2, 0), active);
            }
        }
        if number % 10 == 0 {
            let (module, set) = (id(1, 0), id(SET, 0));
            writeln!(files.members, "00000000-0000-4000-8000-000000000000\t20260401\t1\t{module}\t{set}\t{own}")
                .unwrap();
        }
    }
}

/// The most memory that this process has had, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// Loads a release by the command, then reads it back as a server does at start.
fn loaded(count: u64) -> Editions {
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("release");
    std::fs::create_dir(&release).unwrap();
    write_release(&release, count);
    println!("{count} concepts; peak before loading: {} MB", peak());
    let database = format!("sqlite:{}", folder.path().join("kith.db").display());
    let key = folder.path().join("key.pem").display().to_string();
    let settings = config::load(&Flags::of(&[("database", &database), ("audit.key", &key)]), |_| None).unwrap();
    let start = Instant::now();
    let arguments = LoadArgs { path: release, module: 0, date: 0, flags: Flags::of(&[]) };
    println!("{}", carry_out(&TerminologyCommand::Load(arguments), &settings).unwrap());
    println!("loaded in {:?}; peak memory {} MB", start.elapsed(), peak());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&StoreSettings::from(&settings), Arc::new(Clock::System)).await.unwrap();
        let start = Instant::now();
        let editions = editions::current(&store, &Editions::default()).await.unwrap();
        println!("read back in {:?}", start.elapsed());
        store.close().await;
        editions
    })
}

fn questions(criterion: &mut Criterion) {
    let count = std::env::var("KITH_BENCH_CONCEPTS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let editions = loaded(count);
    let edition = Arc::clone(editions.all().next().unwrap());
    let set = |name: &str, constraint: &str| {
        json!({ "resourceType": "ValueSet", "url": format!("http://test.example/{name}"), "status": "active", "compose": {
            "include": [{ "system": SYSTEM, "filter": [{ "property": "constraint", "op": "=", "value": constraint }] }] } })
    };
    let sets = [
        set("all", &format!("<< {}", id(1, 0))),
        set("branch", &format!("< {} MINUS << {}", id(2, 0), id(17, 0))),
        set("members", &format!("^ {}", id(SET, 0))),
        set("refined", &format!("<< {} : {} = << {}", id(1, 0), id(2, 0), id(9, 0))),
    ];
    let definitions =
        Arc::new(Definitions::embedded().with_packages(vec![Package::new(Manifest::default(), &sets)]).unwrap());
    let terminology = Terminology::with_editions(definitions, editions);
    let codes: Vec<String> = (0..1024).map(|at| id(at * (count / 1024).max(1) + 1, 0)).collect();
    let mut group = criterion.benchmark_group("snomed");
    for name in ["all", "branch", "members", "refined"] {
        let url = format!("http://test.example/{name}");
        let definition = terminology.value_set(&url).unwrap();
        group.bench_function(format!("compile {name}"), |bencher| {
            bencher.iter(|| terminology.compile(black_box(&definition)));
        });
        // As a binding asks: the compiled set is at hand.
        let compiled = terminology.compiled(&url).unwrap();
        let mut next = 0;
        group.bench_function(format!("member of {name}"), |bencher| {
            bencher.iter(|| {
                next = (next + 7) % codes.len();
                compiled.member(Some(SYSTEM), black_box(&codes[next]))
            });
        });
    }
    let (first, last) = (edition.find(&id(1, 0)).unwrap(), edition.find(&id(count / 5 * 4 - 1, 0)).unwrap());
    group.bench_function("subsumes", |bencher| bencher.iter(|| edition.subsumption(black_box(first), black_box(last))));
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
