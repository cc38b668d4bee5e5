//! How long a job that failed waits: twice as long each time, up to a bound. Called by the runner.

use crate::clock::Micros;

/// The wait after the first failure.
const FIRST: Micros = 1_000_000;

/// The longest wait.
const LONGEST: Micros = 600_000_000;

/// The wait after `failures` failures in a row (1 for the first).
#[must_use]
pub const fn wait(failures: i64) -> Micros {
    // 2^10 times the first wait is beyond the longest already.
    let doublings = if failures < 1 {
        0
    } else if failures > 11 {
        10
    } else {
        failures - 1
    };
    let wait = FIRST << doublings;
    if wait < LONGEST { wait } else { LONGEST }
}
