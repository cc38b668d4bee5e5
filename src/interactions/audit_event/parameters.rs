//! The search parameters of AuditEvent (<https://hl7.org/fhir/R4/auditevent.html#search>): what is offered, and how a value becomes
//! tests of audit rows. The CapabilityStatement lists [`OFFERED`].

use super::devices::Devices;
use super::kind;
use super::resource::{self, CLIENT_SYSTEM};
use crate::access::ODS_SYSTEM;
use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::primitive;
use crate::fhir::types::PrimitiveKind;
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::search::kinds::date::Span;
use crate::search::query::fault;
use crate::search::query::value::{Pieces, Prefix};
use crate::store::audit::find::{Field, Test};

/// Name, type and definition of every parameter.
pub const OFFERED: &[(&str, &str, &str)] = &[
    ("_id", "token", "http://hl7.org/fhir/SearchParameter/Resource-id"),
    ("_lastUpdated", "date", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated"),
    ("action", "token", "http://hl7.org/fhir/SearchParameter/AuditEvent-action"),
    ("address", "string", "http://hl7.org/fhir/SearchParameter/AuditEvent-address"),
    ("agent", "reference", "http://hl7.org/fhir/SearchParameter/AuditEvent-agent"),
    ("date", "date", "http://hl7.org/fhir/SearchParameter/AuditEvent-date"),
    ("entity", "reference", "http://hl7.org/fhir/SearchParameter/AuditEvent-entity"),
    ("outcome", "token", "http://hl7.org/fhir/SearchParameter/AuditEvent-outcome"),
    ("patient", "reference", "http://hl7.org/fhir/SearchParameter/AuditEvent-patient"),
    ("subtype", "token", "http://hl7.org/fhir/SearchParameter/AuditEvent-subtype"),
    ("type", "token", "http://hl7.org/fhir/SearchParameter/AuditEvent-type"),
];

/// Most events on a page, and how many where the client does not say.
const LARGEST_PAGE: i64 = 1000;
const PAGE: i64 = 50;

/// A search as it was understood.
#[derive(Debug)]
pub struct Parameters {
    /// All must hold; of each list one is enough.
    pub tests: Vec<Vec<Test>>,
    /// The newest event first.
    pub newest_first: bool,
    /// Most events; 0 where only the number is asked for.
    pub count: i64,
    /// The number of all events is wanted.
    pub total: bool,
    /// The sealed position of the page.
    pub page: Option<String>,
    /// What was understood, for links and audit.
    pub understood: Vec<(String, String)>,
    /// What was passed over.
    pub warnings: Vec<Issue>,
}

impl Parameters {
    /// Reads the parameters. 400 with an issue for each value that cannot be understood, and for each parameter that is not
    /// known where the client wants strict handling.
    pub fn read(
        server: &Server,
        devices: &Devices,
        request: &Request,
        given: &[(String, String)],
    ) -> Result<Self, Problem> {
        let mut parameters = Self {
            tests: Vec::new(),
            newest_first: true,
            count: PAGE,
            total: false,
            page: None,
            understood: Vec::new(),
            warnings: Vec::new(),
        };
        let mut faults = Vec::new();
        for (name, value) in given {
            match parameters.take((server, devices), name, value) {
                Ok(true) => parameters.understood.push((name.clone(), value.clone())),
                Ok(false) => parameters.warnings.push(unknown(name, request.headers.strict)),
                Err(text) => faults
                    .push(Issue::new(Severity::Error, IssueCode::Value, "search-value", text).at(fault::place(name))),
            }
        }
        if request.headers.strict {
            faults.extend_from_slice(&parameters.warnings);
        }
        if faults.is_empty() { Ok(parameters) } else { Err(Problem::with_issues(Kind::Invalid, faults)) }
    }

    /// Takes one parameter; false where it is not known.
    fn take(&mut self, (server, devices): (&Server, &Devices), name: &str, value: &str) -> Result<bool, String> {
        match name {
            "_format" | "_pretty" => return Ok(true),
            "_sort" => self.newest_first = newest_first(value)?,
            "_count" => self.count = count(value)?,
            "_total" => self.total = total(value)?,
            "_summary" if value == "count" => self.count = 0,
            "_page" => self.page = Some(value.to_owned()),
            _ => {
                let Some(read) = reader(name) else { return Ok(false) };
                let read = |piece: String| match device(server, &piece) {
                    Some(device) if name == "agent" => Ok(of_device(devices, &device)),
                    _ => read(server, &piece),
                };
                let pieces = Pieces::split(value, ',').map(read);
                let tests = pieces.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect::<Vec<_>>();
                // No code has this meaning: nothing matches.
                self.tests.push(if tests.is_empty() { vec![Test::Between(0, 0)] } else { tests });
            }
        }
        Ok(true)
    }
}

/// Tests that an event is about a patient or another resource, as `Type/id`.
#[must_use]
pub fn about(reference: &str) -> Vec<Test> {
    vec![Test::About(reference.to_owned())]
}

type Reader = fn(&Server, &str) -> Result<Vec<Test>, String>;

fn reader(name: &str) -> Option<Reader> {
    Some(match name {
        "_id" => {
            |_, text| Ok(resource::place(text).into_iter().map(|(chain, place)| Test::Row(chain, place)).collect())
        }
        "date" | "_lastUpdated" => |server, text| date(text, server.clock.now()),
        "patient" | "patient:Patient" => |server, text| referred(server, text, Some("Patient")),
        "entity" => |server, text| referred(server, text, None),
        "entity:identifier" => |_, text| Ok(vec![Test::Is(Field::Request, token(text).1)]),
        "agent" => |_, text| Ok(agent(None, text)),
        "agent:identifier" => |_, text| {
            let (system, value) = token(text);
            Ok(agent(system.as_deref(), &value))
        },
        "action" => |_, text| Ok(kind::with_action(&token(text).1)),
        "outcome" => |_, text| outcome(&token(text).1),
        "type" => |_, text| {
            let (system, code) = token(text);
            Ok(kind::with_event(system.as_deref(), &code))
        },
        "subtype" => |_, text| {
            let (system, code) = token(text);
            Ok(kind::with_subtype(system.as_deref(), &code))
        },
        "address" => |_, text| Ok(vec![Test::Begins(Field::Address, text.to_owned())]),
        _ => return None,
    })
}

fn unknown(name: &str, strict: bool) -> Issue {
    let severity = if strict { Severity::Error } else { Severity::Warning };
    let names: Vec<&str> = OFFERED.iter().map(|(name, ..)| *name).collect();
    let text = format!("AuditEvent is not searched by this parameter here. There are {}.", names.join(", "));
    Issue::new(severity, IssueCode::NotSupported, "search-unknown-parameter", text).at(fault::place(name))
}

fn newest_first(value: &str) -> Result<bool, String> {
    match value {
        "-date" | "-_lastUpdated" => Ok(true),
        "date" | "_lastUpdated" => Ok(false),
        _ => Err("AuditEvents are sorted by date or -date.".to_owned()),
    }
}

fn count(value: &str) -> Result<i64, String> {
    let count: u32 = value.parse().map_err(|_| "_count is a whole number from 0.".to_owned())?;
    Ok(i64::from(count).min(LARGEST_PAGE))
}

fn total(value: &str) -> Result<bool, String> {
    match value {
        "none" => Ok(false),
        "accurate" | "estimate" => Ok(true),
        _ => Err("_total is none, estimate or accurate.".to_owned()),
    }
}

/// System and code; a system that is not given is none.
fn token(text: &str) -> (Option<String>, String) {
    match text.split_once('|') {
        Some((system, code)) if !system.is_empty() => (Some(system.to_owned()), code.to_owned()),
        Some((_, code)) => (None, code.to_owned()),
        None => (None, text.to_owned()),
    }
}

/// An event happens at an instant.
fn date(text: &str, now: Micros) -> Result<Vec<Test>, String> {
    let Span { prefix, low, high } = Span::parse(text, now)?;
    let between = Test::Between;
    Ok(match prefix {
        Prefix::Eq | Prefix::Ap => vec![between(low, high)],
        Prefix::Ne => vec![between(Micros::MIN, low), between(high, Micros::MAX)],
        Prefix::Gt | Prefix::Sa => vec![between(high, Micros::MAX)],
        Prefix::Ge => vec![between(low, Micros::MAX)],
        Prefix::Lt | Prefix::Eb => vec![between(Micros::MIN, low)],
        Prefix::Le => vec![between(Micros::MIN, high)],
    })
}

/// `Type/id`, its address on this server, or a bare id.
fn referred(server: &Server, text: &str, only: Option<&str>) -> Result<Vec<Test>, String> {
    let text = text.strip_prefix(&server.base).map_or(text, |rest| rest.trim_start_matches('/'));
    let (name, id) = match (text.split_once('/'), only) {
        (Some((name, id)), None) if server.definitions.is_resource_type(name) => (name, id),
        (Some((name, id)), Some(only)) if name == only => (name, id),
        (None, Some(only)) => (only, text),
        (None, None) if is_id(text) => return Ok(vec![Test::Is(Field::ResourceId, text.to_owned())]),
        _ => return Err("A reference is Type/id, for example Patient/123.".to_owned()),
    };
    if is_id(id) {
        return Ok(vec![Test::About(format!("{name}/{id}"))]);
    }
    Err("A logical id has 1 to 64 characters out of letters, digits, '-' and '.'; a version is not named here."
        .to_owned())
}

fn is_id(text: &str) -> bool {
    primitive::check_text(PrimitiveKind::Id, text).is_ok()
}

/// `Device/id`, where a text refers to a Device of this server.
fn device(server: &Server, text: &str) -> Option<String> {
    let text = text.strip_prefix(&server.base).map_or(text, |rest| rest.trim_start_matches('/'));
    text.strip_prefix("Device/").filter(|id| is_id(id)).map(|id| format!("Device/{id}"))
}

/// The clients that stand for a Device.
fn of_device(devices: &Devices, device: &str) -> Vec<Test> {
    devices.clients(device).map(|client| Test::Is(Field::Client, client.to_owned())).collect()
}

/// A client, an organisation or a person, whichever has this identifier.
fn agent(system: Option<&str>, value: &str) -> Vec<Test> {
    let whole = system.map(|system| format!("{system}|{value}"));
    let mut tests = Vec::new();
    if system.is_none_or(|system| system == CLIENT_SYSTEM) {
        tests.push(Test::Is(Field::Client, value.to_owned()));
    }
    for field in [Field::Organisation, Field::User] {
        match &whole {
            Some(whole) => tests.push(Test::Is(field, whole.clone())),
            None => tests.push(Test::Is(field, value.to_owned())),
        }
    }
    if system.is_none() {
        tests.push(Test::Is(Field::Organisation, format!("{ODS_SYSTEM}|{value}")));
    }
    tests
}

fn outcome(code: &str) -> Result<Vec<Test>, String> {
    Ok(vec![match code {
        "0" => Test::Status(0, 400),
        "4" => Test::Status(400, 500),
        "8" => Test::Status(500, 1000),
        _ => return Ok(Vec::new()),
    }])
}
