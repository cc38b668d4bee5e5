//! What Linux says of this process: memory, processor time, open files. Elsewhere there is nothing to tell.

use std::fs;

use super::metrics::Level;

/// Clock ticks a second, as Linux shows processor times on every architecture that Kith is built for.
const TICKS: f64 = 100.0;
/// Bytes of a page of memory.
const PAGE: f64 = 4096.0;

/// Resident memory, processor seconds, open files.
#[must_use]
pub fn levels() -> Vec<Level> {
    let mut levels = Vec::new();
    let mut add = |name, help, value: Option<f64>| levels.extend(value.map(|value| Level { name, help, value }));
    add("process_resident_memory_bytes", "Resident memory of the process", resident());
    add("process_cpu_seconds", "Processor time of the process", processor());
    add("process_open_fds", "Open files of the process", open_files());
    levels
}

fn resident() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<f64>().ok().map(|pages| pages * PAGE)
}

fn processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process, in brackets, may hold anything.
    let rest = text.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
    Some((user + system) / TICKS)
}

fn open_files() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count).ok().map(f64::from)
}
