//! A long run at full load: creates, reads and searches at once. Every minute it says how much memory the server holds, how many
//! requests it answered and what waits in its queue; at the end memory must not have grown since the caches were full.

use std::time::Duration;

use crate::Plan;
use crate::http::{Process, creates, gets};

/// Minutes in which caches fill.
const WARM: usize = 3;

pub async fn run(plan: &Plan, url: &impl Fn(&str) -> String) {
    let folder = tempfile::TempDir::new().unwrap();
    let server = Process::start(&plan.binary, &url("soak.db"), folder.path(), &[]);
    let minute = Duration::from_mins(1);
    let mut held = Vec::new();
    for number in 1..=plan.minutes {
        let search = "/fhir/ServiceRequest?subject=Patient/load-7&_count=5";
        let (written, read, searched, followed) = tokio::join!(
            creates(&server.address, 16, minute),
            gets(&server.address, "/fhir/metadata?mode=terminology", 1, minute),
            gets(&server.address, search, 8, minute),
            gets(&server.address, "/fhir/ServiceRequest?_sort=-_lastUpdated&_count=10", 4, minute),
        );
        held.push(server.memory());
        println!(
            "  minute {number}: {} MB; {} creates, {} statements, {} + {} searches, none refused",
            server.memory(),
            written.0,
            read.0,
            searched.0,
            followed.0
        );
    }
    if let (Some(warm), Some(last)) = (held.get(WARM), held.last()) {
        println!("  {warm} MB after {} minutes, {last} MB after {}", WARM + 1, held.len());
        assert!(*last < warm + warm / 4 + 16, "memory grew: {held:?} MB");
    }
}
