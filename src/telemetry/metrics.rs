//! Counters and histograms of one server, and how they are written for Prometheus
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>). The store counts commits, the interactions verdicts, `app` requests;
//! what is measured when somebody asks comes in as [`Level`]s.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::process;
use crate::clock::Micros;

/// Upper bounds of durations, in seconds.
const SECONDS: [f64; 14] = [0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Upper bounds of batch sizes.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What a request was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Request {
    interaction: &'static str,
    status: u16,
}

impl EncodeLabelSet for Request {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        [("interaction", self.interaction)].encode(encoder)?;
        [("status", u32::from(self.status))].encode(encoder)
    }
}

/// By which durations are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Interaction(&'static str);

impl EncodeLabelSet for Interaction {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        [("interaction", self.0)].encode(encoder)
    }
}

type Labels = Vec<(&'static str, String)>;

/// A value that is measured when it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Its name, without the prefix.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// The value.
    pub value: f64,
}

/// The counters of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Family<Request, Counter>,
    durations: Durations,
    commits: Counter,
    batches: Sizes,
    commit_seconds: Times,
    verdicts: Family<Labels, Counter>,
    issues: Family<Labels, Counter>,
    unaudited: Counter,
}

/// Durations by interaction.
#[derive(Debug)]
struct Durations(Family<Interaction, Histogram>);

impl Default for Durations {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(SECONDS)))
    }
}

#[derive(Debug)]
struct Sizes(Histogram);

impl Default for Sizes {
    fn default() -> Self {
        Self(Histogram::new(SIZES))
    }
}

#[derive(Debug)]
struct Times(Histogram);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new(SECONDS))
    }
}

impl Metrics {
    /// A request was answered.
    pub fn request(&self, interaction: &'static str, status: u16, duration: Micros) {
        self.requests.get_or_create(&Request { interaction, status }).inc();
        self.durations.0.get_or_create(&Interaction(interaction)).observe(seconds(duration));
    }

    /// This many pieces of work were committed together.
    pub fn commit(&self, work: usize, duration: Micros) {
        self.commits.inc();
        self.batches.0.observe(f64::from(u32::try_from(work).unwrap_or(u32::MAX)));
        self.commit_seconds.0.observe(seconds(duration));
    }

    /// A resource was validated.
    pub fn verdict(&self, valid: bool) {
        let verdict = if valid { "valid" } else { "invalid" };
        self.verdicts.get_or_create(&vec![("verdict", verdict.to_owned())]).inc();
    }

    /// A resource broke a rule.
    pub fn issue(&self, rule: &str, severity: &'static str) {
        self.issues.get_or_create(&vec![("rule", rule.to_owned()), ("severity", severity.to_owned())]).inc();
    }

    /// The audit record of a request that was shed is lost.
    pub fn unaudited(&self) {
        self.unaudited.inc();
    }

    /// Everything as OpenMetrics text, with what was measured just now.
    #[must_use]
    pub fn text(&self, levels: &[Level]) -> String {
        let mut registry = Registry::with_prefix("kith");
        registry.register("requests", "Answered requests by interaction and status", self.requests.clone());
        let help = "Time from the head of a request to its answer";
        registry.register_with_unit("request_duration", help, Unit::Seconds, self.durations.0.clone());
        registry.register("commits", "Committed transactions", self.commits.clone());
        registry.register("commit_batch_size", "Pieces of work committed together", self.batches.0.clone());
        registry.register_with_unit(
            "commit_duration",
            "Time of a commit with its work",
            Unit::Seconds,
            self.commit_seconds.0.clone(),
        );
        registry.register("validations", "Validated resources by verdict", self.verdicts.clone());
        registry.register("validation_issues", "Broken validation rules", self.issues.clone());
        registry.register("audit_lost", "Audit records of shed requests that are lost", self.unaudited.clone());
        for level in process::levels().iter().chain(levels) {
            let gauge = Gauge::<f64, AtomicU64>::default();
            gauge.set(level.value);
            registry.register(level.name, level.help, gauge);
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "a duration in seconds needs no microsecond of a year")]
fn seconds(duration: Micros) -> f64 {
    duration.max(0) as f64 / 1_000_000.0
}
