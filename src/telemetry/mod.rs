//! What operators see of a running process: log lines and metrics. No line carries patient data, secrets or addresses as they
//! were asked for.

mod log;
pub mod metrics;
mod process;

pub use self::log::start;
pub use self::metrics::Metrics;
