//! Measures the crate octofhir-fhirschema on a folder of resources: verdict and mean time of each, as lines of
//! `name TAB verdict TAB microseconds`. Invariants are evaluated by octofhir-fhirpath; with a second argument they are left out.
//! Run by `benches/side-by-side/run.sh`.

use std::sync::Arc;

use octofhir_fhirpath::{FhirPathEngine, create_function_registry};
use octofhir_fhirschema::{EmbeddedSchemaProvider, FhirValidator, FhirVersion, get_schemas};

/// Processor time of this thread, in microseconds.
fn spent() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().ok_or("no time")?.parse()?;
    Ok(nanoseconds / 1e3)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let model = Arc::new(EmbeddedSchemaProvider::r4());
    let engine = runtime.block_on(FhirPathEngine::new(Arc::new(create_function_registry()), model))?;
    let structure_only = std::env::args().nth(2).is_some();
    let evaluator = (!structure_only).then(|| Arc::new(engine) as Arc<_>);
    let validator = FhirValidator::from_schemas(get_schemas(FhirVersion::R4).clone(), evaluator);
    let mut files: Vec<_> = std::fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    for file in files {
        let resource: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let profile = vec![resource["resourceType"].as_str().unwrap_or_default().to_owned()];
        let validate = || runtime.block_on(validator.validate(std::hint::black_box(&resource), profile.clone()));
        let verdict = if validate().valid { "valid" } else { "invalid" };
        let started = spent()?;
        let mut runs = 0_u32;
        while spent()? - started < 3e5 || runs < 3 {
            std::hint::black_box(validate());
            runs += 1;
        }
        println!("{name}\t{verdict}\t{:.1}", (spent()? - started) / f64::from(runs));
    }
    Ok(())
}
