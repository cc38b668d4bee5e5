//! Keeps one client, one address, or all of them together from taking more than their part: `app` asks before it works on a
//! request. Rates are token buckets; what is beyond is refused at once and never waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Micros;

/// So many seconds' worth of requests may come at once.
const BURST: i64 = 5;

/// So many clients or addresses are remembered.
const MOST: usize = 50_000;

const SECOND: Micros = 1_000_000;

/// What this process works on, and who has asked how much.
#[derive(Debug, Default)]
pub struct Throttle {
    running: Arc<AtomicUsize>,
    leaving: AtomicBool,
    clients: Buckets,
    addresses: Buckets,
    /// When a request without a place was audited last.
    without_place: AtomicI64,
    untold: Untold,
}

/// Refusals that left no audit row of their own, since they were summed up last.
#[derive(Debug, Default)]
struct Untold {
    beyond_rate: AtomicU64,
    without_place: AtomicU64,
    summed_up: AtomicI64,
}

/// How many requests were refused without an audit row of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Beyond the rate of a client or address.
    pub beyond_rate: u64,
    /// For want of a place.
    pub without_place: u64,
}

/// A request that is worked on; its place is free again when this is dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request beyond a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Seconds until the next one is taken.
    pub seconds: i64,
    /// The first within a second. It is audited; were every one, then a flood of requests would fill the disk. The others are
    /// audited as a sum.
    pub first: bool,
}

impl Throttle {
    /// A place among at most `most` running requests; none where all are taken.
    #[must_use]
    pub fn enter(&self, most: usize) -> Option<Place> {
        let place = Place(Arc::clone(&self.running));
        (self.running.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }

    /// Counts a request that found no place. True for the first within a second: it is audited.
    #[must_use]
    pub fn without_place(&self, now: Micros) -> bool {
        let told = self.without_place.load(Ordering::Acquire);
        let first = told == 0 || now < told || now - told >= SECOND;
        let own = first && self.without_place.compare_exchange(told, now, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if !own {
            self.untold.without_place.fetch_add(1, Ordering::AcqRel);
        }
        own
    }

    /// The refusals that nothing has told of yet; from now on they count as told. None where they were summed up less than a second
    /// ago, unless this is the `last` time.
    #[must_use]
    pub fn sum_up(&self, now: Micros, last: bool) -> Option<Sum> {
        let Untold { beyond_rate, without_place, summed_up } = &self.untold;
        if beyond_rate.load(Ordering::Acquire) == 0 && without_place.load(Ordering::Acquire) == 0 {
            return None;
        }
        let before = summed_up.load(Ordering::Acquire);
        let due = last || now < before || now - before >= SECOND;
        if !due || summed_up.compare_exchange(before, now, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return None;
        }
        let take = |count: &AtomicU64| count.swap(0, Ordering::AcqRel);
        Some(Sum { beyond_rate: take(beyond_rate), without_place: take(without_place) })
    }

    /// How many requests are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// The server is about to stop: whoever asks whether it is ready is told that it is not.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    /// True once [`Throttle::leave`] was called.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Counts a request of a client, `rate` of which it may send in a second (0 for any number).
    pub fn client(&self, client: &str, rate: usize, now: Micros) -> Result<(), Refusal> {
        self.counted(self.clients.take(client, rate, now))
    }

    fn counted(&self, outcome: Result<(), Refusal>) -> Result<(), Refusal> {
        if outcome.is_err_and(|refusal| !refusal.first) {
            self.untold.beyond_rate.fetch_add(1, Ordering::AcqRel);
        }
        outcome
    }

    /// Counts a request from a network address. A network of 2^64 addresses is usually one customer's.
    pub fn address(&self, address: &str, rate: usize, now: Micros) -> Result<(), Refusal> {
        let taken = match address.parse() {
            Ok(IpAddr::V6(v6)) if rate > 0 => {
                let [a, b, c, d, ..] = v6.segments();
                self.addresses.take(&format!("{a:x}:{b:x}:{c:x}:{d:x}"), rate, now)
            }
            _ => self.addresses.take(address, rate, now),
        };
        self.counted(taken)
    }
}

#[derive(Debug, Default)]
struct Buckets(Mutex<HashMap<String, Bucket>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// When it is full again. Each request moves this on; it is refused where that would be too far ahead.
    full_at: Micros,
    /// When a refusal was audited last.
    told: Micros,
}

impl Buckets {
    fn take(&self, name: &str, rate: usize, now: Micros) -> Result<(), Refusal> {
        let Some(step) = SECOND.checked_div(i64::try_from(rate).unwrap_or(i64::MAX)) else { return Ok(()) };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(name) {
            // A full bucket and none are the same. Where none is full all are forgotten, which is mild and bounded.
            buckets.retain(|_, bucket| bucket.full_at > now);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = match buckets.get_mut(name) {
            Some(bucket) => bucket,
            None => buckets.entry(name.to_owned()).or_insert(Bucket { full_at: now, told: i64::MIN }),
        };
        // A clock that was set back must not lock anybody out.
        bucket.full_at = bucket.full_at.clamp(now, now + BURST * SECOND);
        let full_at = bucket.full_at + step;
        if full_at - now <= BURST * SECOND {
            bucket.full_at = full_at;
            return Ok(());
        }
        let first = now < bucket.told || now.saturating_sub(bucket.told) >= SECOND;
        if first {
            bucket.told = now;
        }
        let wait = full_at - now - BURST * SECOND;
        Err(Refusal { seconds: (wait + SECOND - 1) / SECOND, first })
    }
}
