//! The cases and the referral journeys of the repository, in the binary.

use super::journey::Journey;
use super::section::Section;

/// Every file of `conformance/http/`: name and content.
const SECTIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/conformance.rs"));

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../fixtures/", $folder, "/", $name)))),*]
    };
}

const JOURNEYS: &[(&str, &str)] = files!(
    "journeys": "a-direct.json", "b-link-worker.json", "c-rerouted.json", "d-declined.json", "e-did-not-attend.json",
    "f-cancelled.json", "g-open-pool.json",
);

const BODIES: &[(&str, &str)] = files!(
    "valid": "Organization-fellside-surgery.json", "Organization-thornby-link-workers.json",
    "Organization-green-path.json", "Organization-open-kitchen.json",
);

/// All journeys that come with the product.
///
/// # Errors
/// A sentence, where one of the files is broken; a test reads them all.
pub fn journeys() -> Result<Vec<Journey>, String> {
    JOURNEYS.iter().map(|(name, text)| Journey::parse(text, body).map_err(|error| format!("{name}: {error}"))).collect()
}

/// All sections that come with the product, the journeys as the last.
///
/// # Errors
/// A sentence, where one of the files is broken; a test reads them all.
pub fn sections() -> Result<Vec<Section>, String> {
    let parse = |(name, text): &(&str, &str)| Section::parse(text).map_err(|error| format!("{name}: {error}"));
    let mut sections: Vec<Section> = SECTIONS.iter().map(parse).collect::<Result<_, _>>()?;
    sections.push(Section::of_journeys(journeys()?));
    Ok(sections)
}

fn body(path: &str) -> Result<String, String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let found = BODIES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| format!("there is no {path}"))
}
