//! Measures the crate rh-validator on a folder of resources: verdict and mean time of each, as lines of
//! `name TAB verdict TAB microseconds`: base definition and declared profiles. The definitions are looked for below `~/.fhir/packages`.
//! Run by `benches/side-by-side/run.sh`.

use rh_validator::{FhirValidator, FhirVersion};

/// Processor time of this thread, in microseconds.
fn spent() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().ok_or("no time")?.parse()?;
    Ok(nanoseconds / 1e3)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let validator = FhirValidator::new(FhirVersion::R4, None)?;
    let mut files: Vec<_> = std::fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    for file in files {
        let resource: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let verdict = match validator.validate_auto(&resource) {
            Ok(result) => if result.valid { "valid" } else { "invalid" },
            Err(_) => "refused",
        };
        let started = spent()?;
        let mut runs = 0_u32;
        while spent()? - started < 3e5 || runs < 3 {
            let _ = std::hint::black_box(validator.validate_auto(std::hint::black_box(&resource)));
            runs += 1;
        }
        println!("{name}\t{verdict}\t{:.1}", (spent()? - started) / f64::from(runs));
    }
    Ok(())
}
