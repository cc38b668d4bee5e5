//! Traces for an OpenTelemetry collector: OTLP over HTTP in JSON (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), sent by one
//! thread. `app` makes it where `traces.url` is set and hands it a span for each request; a span that finds the queue full is
//! dropped and counted, so that a collector that is slow or away costs neither memory nor time.

mod context;
mod span;

pub use self::context::{Context, span_id};
pub use self::span::Span;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use super::metrics::Level;
use crate::problem::Problem;

/// Spans that wait.
const WAITING: usize = 2048;
/// Spans of one request to the collector.
const TOGETHER: usize = 512;
/// How long spans wait for others.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for the collector.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is said that the collector does not take them.
const SAID: Duration = Duration::from_mins(1);

enum Message {
    Span(Box<Span>),
    Stop,
}

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    dropped: AtomicU64,
    /// The process ends: what the collector does not take at once is given up.
    ending: AtomicBool,
}

/// The exporter.
#[derive(Debug)]
pub struct Traces {
    queue: SyncSender<Message>,
    counts: Arc<Counts>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Traces {
    /// Starts the thread that sends spans to the collector at `url`, `/v1/traces` and all.
    pub fn start(url: &str) -> Result<Self, Problem> {
        let (queue, waiting) = sync_channel(WAITING);
        let counts = Arc::<Counts>::default();
        let sender =
            Sender { url: url.to_owned(), agent: agent(), counts: Arc::clone(&counts), said: None, failed: false };
        let thread = std::thread::Builder::new().name("traces".to_owned()).spawn(move || sender.run(&waiting));
        let thread = Mutex::new(Some(thread.map_err(Problem::internal)?));
        Ok(Self { queue, counts, thread })
    }

    /// Hands over a span. It never waits.
    pub fn add(&self, span: Span) {
        if self.queue.try_send(Message::Span(Box::new(span))).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends what waits, and ends. Takes as long as the collector does, within bounds. Call it where waiting harms nobody.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.counts.ending.store(true, Ordering::Relaxed);
            // Both fail only where the thread has ended already.
            let _ = self.queue.send(Message::Stop);
            let _ = thread.join();
        }
    }

    /// How many spans were sent and dropped.
    #[must_use]
    pub fn levels(&self) -> [Level; 2] {
        #[expect(clippy::cast_precision_loss, reason = "a count of spans below 2^53")]
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        [
            Level { name: "spans_sent", help: "Spans that the collector took", value: read(&self.counts.sent) },
            Level {
                name: "spans_dropped",
                help: "Spans that found the queue full or that the collector did not take",
                value: read(&self.counts.dropped),
            },
        ]
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // The thread ends by itself where this does not get through: nobody holds the queue any more.
        let _ = self.queue.try_send(Message::Stop);
    }
}

fn agent() -> Agent {
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).proxy(None).tls_config(tls);
    Agent::new_with_config(config.build())
}

struct Sender {
    url: String,
    agent: Agent,
    counts: Arc<Counts>,
    said: Option<Instant>,
    failed: bool,
}

impl Sender {
    fn run(mut self, waiting: &Receiver<Message>) {
        loop {
            let (spans, ends) = gather(waiting);
            if !spans.is_empty() {
                self.send(&spans);
            }
            if ends {
                return;
            }
        }
    }

    fn send(&mut self, spans: &[Span]) {
        let count = spans.len() as u64;
        if self.failed && self.counts.ending.load(Ordering::Relaxed) {
            self.counts.dropped.fetch_add(count, Ordering::Relaxed);
            return;
        }
        let body = span::export(spans).to_string();
        let answer = self.agent.post(&self.url).header("Content-Type", "application/json").send(body.as_str());
        let reason = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        self.failed = reason.is_some();
        let counted = if self.failed { &self.counts.dropped } else { &self.counts.sent };
        counted.fetch_add(count, Ordering::Relaxed);
        if let Some(reason) = reason {
            self.say(&reason);
        }
    }

    fn say(&mut self, reason: &str) {
        if self.said.is_none_or(|said| said.elapsed() > SAID) {
            tracing::warn!(reason, "the collector at traces.url does not take spans; they are dropped and counted");
            self.said = Some(Instant::now());
        }
    }
}

/// Spans that came within one interval, and whether these are the last.
fn gather(waiting: &Receiver<Message>) -> (Vec<Span>, bool) {
    let mut spans = Vec::new();
    let mut until = None;
    while spans.len() < TOGETHER {
        let next = match until {
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => waiting.recv_timeout(Instant::saturating_duration_since(&until, Instant::now())),
        };
        match next {
            Ok(Message::Span(span)) => spans.push(*span),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return (spans, true),
            Err(RecvTimeoutError::Timeout) => break,
        }
        until = until.or_else(|| Some(Instant::now() + INTERVAL));
    }
    (spans, false)
}
