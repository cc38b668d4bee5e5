//! Plays a journey: fills each request with what is known, sends it, checks the answer, keeps what later steps need.

use serde_json::Value;

use super::check::{check, evaluate};
use super::journey::{Capture, Journey, Step};
use super::template::{Known, fill, fill_value, merge, reference};
use super::transport::{Request, Response, Transport};
use crate::clock::Clock;

/// What became of one step.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// The step's name.
    pub name: String,
    /// What was not as expected; empty where all was.
    pub failures: Vec<String>,
}

/// What became of a journey.
#[derive(Debug, Clone)]
pub struct Played {
    /// The journey's name.
    pub journey: String,
    /// Each step that was played; a failing step ends the journey.
    pub steps: Vec<StepReport>,
}

impl Played {
    /// All that went wrong, one line each.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let line = |step: &StepReport, failure: &String| format!("{}: {}: {failure}", self.journey, step.name);
        self.steps.iter().flat_map(|step| step.failures.iter().map(move |failure| line(step, failure))).collect()
    }
}

/// Plays a journey. `run` sets this play apart from others on the same server (`{{run}}` in the file).
pub fn play(journey: &Journey, transport: &mut dyn Transport, run: &str, clock: &Clock) -> Played {
    let mut known = Known::from([("run".to_owned(), Value::String(run.to_owned()))]);
    Played { journey: journey.journey.clone(), steps: play_steps(&journey.steps, transport, &mut known, clock) }
}

/// Plays steps in order up to the first that fails; what they save and capture is known to those that follow.
pub(super) fn play_steps(
    steps: &[Step],
    transport: &mut dyn Transport,
    known: &mut Known,
    clock: &Clock,
) -> Vec<StepReport> {
    let mut reports = Vec::new();
    for step in steps {
        let failures = play_step(step, transport, known, clock).unwrap_or_else(|failure| vec![failure]);
        let failed = !failures.is_empty();
        reports.push(StepReport { name: step.title(), failures });
        if failed {
            break;
        }
    }
    reports
}

fn play_step(
    step: &Step,
    transport: &mut dyn Transport,
    known: &mut Known,
    clock: &Clock,
) -> Result<Vec<String>, String> {
    let request = prepare(step, known)?;
    let response = transport.send(&request)?;
    let mut failures = check(&step.expect, &response, known, clock)?;
    if failures.is_empty() {
        keep(step, &response, known, clock)?;
    } else {
        failures.push(format!("the request was {}", shown(&request)));
        failures.push(format!("the answer was {} {}", response.status, response.text));
    }
    Ok(failures)
}

/// A request for people.
fn shown(request: &Request) -> String {
    let mut lines = vec![format!("{} {}", request.method, request.path)];
    lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    match &request.body {
        Some(Value::String(text)) => lines.push(text.clone()),
        Some(body) => lines.push(body.to_string()),
        None => {}
    }
    lines.join("\n")
}

fn prepare(step: &Step, known: &Known) -> Result<Request, String> {
    let body = match (&step.change, &step.body) {
        (Some(change), _) => {
            let saved = known.get(&change.resource);
            let mut body = saved.ok_or_else(|| format!("nothing was saved as {}", change.resource))?.clone();
            merge(&mut body, &fill_value(&change.set, known)?);
            Some(body)
        }
        (None, Some(body)) => Some(fill_value(body, known)?),
        (None, None) => None,
    };
    let headers = step
        .headers
        .iter()
        .map(|(name, value)| Ok((name.clone(), fill(value, known)?)))
        .collect::<Result<_, String>>()?;
    let path = fill(&step.path, known)?;
    Ok(Request { actor: step.actor.clone(), method: step.method.clone(), path, headers, body })
}

fn keep(step: &Step, response: &Response, known: &mut Known, clock: &Clock) -> Result<(), String> {
    for (name, capture) in &step.capture {
        let value = match capture {
            Capture::Header(header) => {
                let value = response.header(header).ok_or_else(|| format!("there is no header {header}"))?;
                Value::String(value.to_owned())
            }
            Capture::Fhirpath(expression) => one(expression, response, clock)?,
            Capture::Reference(expression) => {
                let address = one(expression, response, clock)?;
                let found = address.as_str().and_then(reference);
                Value::String(found.ok_or_else(|| format!("{expression} is no address of a resource"))?)
            }
        };
        known.insert(name.clone(), value);
    }
    if let Some(name) = &step.save {
        known.insert(name.clone(), response.body.clone());
    }
    Ok(())
}

fn one(expression: &str, response: &Response, clock: &Clock) -> Result<Value, String> {
    let mut found = evaluate(expression, &response.body, clock)?;
    if found.len() != 1 {
        return Err(format!("{expression} has {} results instead of one", found.len()));
    }
    found.pop().ok_or_else(String::new)
}
