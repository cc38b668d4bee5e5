//! What operators see of a running process: log lines, metrics and traces. No line carries patient data, secrets or addresses as they
//! were asked for.

mod log;
pub mod metrics;
mod process;
pub mod traces;

pub use self::log::start;
pub use self::metrics::Metrics;
pub use self::traces::Traces;
