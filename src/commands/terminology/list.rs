//! What is loaded, for people and for machines.

use serde_json::json;

use crate::fhir::temporal;
use crate::problem::Problem;
use crate::store::{Store, StoredEdition};

/// The loaded editions, the one that counts without a version last.
pub(super) async fn list(store: &Store, as_json: bool) -> Result<String, Problem> {
    let all = store.editions().await?;
    if all.is_empty() && !as_json {
        return Ok("No terminology is loaded. Load a SNOMED CT release: kith terminology load PATH".to_owned());
    }
    let line = |stored: &StoredEdition| {
        let loaded = temporal::format_instant(stored.loaded);
        let StoredEdition { version, summary, bytes, .. } = stored;
        if as_json {
            let system = crate::terminology::snomed::SYSTEM;
            json!({ "system": system, "version": version, "content": summary, "bytes": bytes, "loaded": loaded })
                .to_string()
        } else {
            format!("SNOMED CT {version}\n    {summary}; {} kB, loaded {loaded}", bytes / 1024)
        }
    };
    Ok(all.iter().map(line).collect::<Vec<_>>().join("\n"))
}
