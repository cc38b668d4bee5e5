//! Time and new identifiers: the only caller of the system clock and the random source. Tests fix both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01T00:00:00Z; what the database stores and `meta.lastUpdated` shows.
pub type Micros = i64;

/// A source of time and identifiers.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock and random source.
    System,
    /// For tests: time starts at `start` and moves by one millisecond a call; ids are counted.
    Fixed {
        /// The first instant handed out.
        start: Micros,
        /// Calls so far.
        ticks: AtomicU64,
    },
}

impl Clock {
    /// A clock for tests that begins at `start`.
    #[must_use]
    pub const fn fixed(start: Micros) -> Self {
        Self::Fixed { start, ticks: AtomicU64::new(0) }
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Micros {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system clock")]
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
            }
            Self::Fixed { start, ticks } => {
                let tick = ticks.fetch_add(1, Ordering::Relaxed);
                start + Micros::try_from(tick).unwrap_or(0) * 1000
            }
        }
    }

    /// A new logical id or request id: a version 7 UUID, so that ids grow with time and index pages stay warm.
    #[must_use]
    pub fn new_id(&self) -> String {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the random source")]
            Self::System => uuid::Uuid::now_v7().to_string(),
            Self::Fixed { ticks, .. } => {
                let tick = ticks.fetch_add(1, Ordering::Relaxed);
                uuid::Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | tick).to_string()
            }
        }
    }
}
