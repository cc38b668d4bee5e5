//! Plays sections against a server: set-up, cases, clean-up. `kith conformance run` and the tests call it.

use serde_json::Value;

use super::claims::Claims;
use super::player::{StepReport, play_steps};
use super::section::{Case, Section};
use super::template::{Known, reference};
use super::transport::{Request, Response, Transport};
use crate::clock::Clock;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// What was not as expected, in which step.
    Failed(Vec<String>),
    /// What the case needs and the server does not claim.
    NotClaimed(Vec<String>),
}

/// One case after it was played.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// Name of its section.
    pub section: String,
    /// Name of the case.
    pub id: String,
    /// What a server must do.
    pub title: String,
    /// Where the specification says so.
    pub link: String,
    /// What became of it.
    pub verdict: Verdict,
    /// How long it took, in microseconds.
    pub duration: i64,
}

/// How sections are played.
#[derive(Debug, Clone)]
pub struct Suite<'a> {
    /// Where ids and times come from.
    pub clock: &'a Clock,
    /// What the server claims.
    pub claims: Claims,
    /// True leaves what was created on the server.
    pub keep: bool,
}

impl<'a> Suite<'a> {
    /// Asks the server what it claims.
    ///
    /// # Errors
    /// A sentence, where it does not answer with a CapabilityStatement.
    pub fn of(transport: &mut dyn Transport, clock: &'a Clock, keep: bool) -> Result<Self, String> {
        let response = transport.send(&request("GET", "metadata"))?;
        if response.status != 200 || response.body["resourceType"] != "CapabilityStatement" {
            return Err(format!("GET metadata answered {} instead of a CapabilityStatement", response.status));
        }
        Ok(Self { clock, claims: Claims::new(response.body), keep })
    }

    /// Plays one section. The set-up is played once, where at least one case applies.
    pub fn play(&self, section: &Section, transport: &mut dyn Transport) -> Vec<CaseReport> {
        let mut transport = Recorder { inner: transport, created: Vec::new() };
        let mut known = Known::from([
            ("run".to_owned(), Value::String(self.clock.new_id())),
            ("base".to_owned(), Value::String(transport.base().to_owned())),
        ]);
        let mut setup: Option<Vec<String>> = None;
        let mut reports = Vec::new();
        for case in &section.cases {
            let started = self.clock.now();
            let mut missing = self.claims.missing(&section.needs);
            missing.extend(self.claims.missing(&case.needs));
            let verdict = if missing.is_empty() {
                let broken = setup.get_or_insert_with(|| {
                    failures(&play_steps(&section.setup, &mut transport, &mut known, self.clock))
                });
                self.play_case(case, broken, &known, &mut transport)
            } else {
                Verdict::NotClaimed(missing)
            };
            reports.push(CaseReport {
                section: section.section.clone(),
                id: case.id.clone(),
                title: case.title.clone(),
                link: case.link.clone().unwrap_or_else(|| section.link.clone()),
                verdict,
                duration: self.clock.now() - started,
            });
        }
        if !self.keep {
            transport.clean_up();
        }
        reports
    }

    fn play_case(&self, case: &Case, broken: &[String], known: &Known, transport: &mut Recorder<'_>) -> Verdict {
        if !broken.is_empty() {
            return Verdict::Failed(broken.iter().map(|failure| format!("set-up: {failure}")).collect());
        }
        let mut known = known.clone();
        known.insert("case".to_owned(), Value::String(self.clock.new_id()));
        let failures = failures(&play_steps(&case.steps, transport, &mut known, self.clock));
        if failures.is_empty() { Verdict::Passed } else { Verdict::Failed(failures) }
    }
}

fn failures(steps: &[StepReport]) -> Vec<String> {
    let line = |step: &StepReport, failure: &String| format!("{}: {failure}", step.name);
    steps.iter().flat_map(|step| step.failures.iter().map(move |failure| line(step, failure))).collect()
}

fn request(method: &str, path: &str) -> Request {
    Request {
        actor: "operator".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

/// Remembers what was created, so that it can be deleted again.
struct Recorder<'a> {
    inner: &'a mut dyn Transport,
    created: Vec<String>,
}

impl Recorder<'_> {
    /// Deletes what was created, last first; where the server refuses, it stays.
    fn clean_up(&mut self) {
        for address in std::mem::take(&mut self.created).iter().rev() {
            let _ = self.inner.send(&request("DELETE", address));
        }
    }

    fn remember(&mut self, response: &Response) {
        let created = |status: &str, location: Option<&str>| {
            if status.starts_with("201") { location.and_then(reference) } else { None }
        };
        self.created.extend(created(&response.status.to_string(), response.header("Location")));
        for entry in response.body["entry"].as_array().into_iter().flatten() {
            let answer = &entry["response"];
            self.created.extend(created(answer["status"].as_str().unwrap_or_default(), answer["location"].as_str()));
        }
    }
}

impl Transport for Recorder<'_> {
    fn base(&self) -> &str {
        self.inner.base()
    }

    fn send(&mut self, request: &Request) -> Result<Response, String> {
        let response = self.inner.send(request)?;
        if request.method != "GET" {
            self.remember(&response);
        }
        Ok(response)
    }
}
