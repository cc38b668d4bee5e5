//! `ServiceRequest/$activity` (<https://kith.example/fhir/OperationDefinition/kith-servicerequest-activity>): how many referrals there
//! were in whole months, by status and service, as a MeasureReport. It is what commissioners see of referrals; a small number is
//! left out, since with what else is known of a place it could point to a person.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::scope::Permission;
use crate::access::{Grant, Role, Visibility};
use crate::fhir::temporal::{DateTime, format_instant};
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::store::{Activity, AuditRecord};

/// Counts below this are not shown.
const SMALLEST: i64 = 5;
/// Most months at once.
const MOST: usize = 24;

/// The operation.
#[derive(Debug)]
pub struct ReferralActivity;

impl Operation for ReferralActivity {
    fn name(&self) -> &'static str {
        "activity"
    }

    fn definition(&self) -> &'static str {
        "https://kith.example/fhir/OperationDefinition/kith-servicerequest-activity"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Type(name) if name == "ServiceRequest")
    }

    fn resource_types(&self) -> &'static [&'static str] {
        &["ServiceRequest"]
    }

    fn by_get(&self) -> bool {
        true
    }

    fn permission(&self) -> Option<Permission> {
        Some(Permission::Search)
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, _: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            permitted(request)?;
            let months = months(request)?;
            let mut groups = Vec::new();
            for month in &months {
                let (from, to) = month.1.interval();
                groups.push(group(&month.0, &server.store.activity(from, to).await?));
            }
            let record = AuditRecord {
                resource_type: "ServiceRequest".to_owned(),
                query: months.iter().map(|(text, _)| format!("month={text}")).collect::<Vec<_>>().join("&"),
                ..Stamp::of(request, server.clock.now()).record("operation $activity", 200)
            };
            server.store.audit(record).await?;
            Ok(Reply::new(200, Content::Resource(report(server, &months, &groups))))
        })
    }
}

/// 403 for parties other than commissioners, who see the referrals themselves, and for who sees a chosen part of them.
fn permitted(request: &Request) -> Result<(), Problem> {
    match request.caller.visibility() {
        Visibility::Limited(limits) if ["ServiceRequest", "Task"].iter().any(|name| limits.constrain(name)) => {
            let text = "The figures count all referrals, and the scopes of the access token constrain which are seen.";
            Err(Problem::new(Kind::Forbidden, text).at("http.authorization"))
        }
        Visibility::Limited(limits) if !limits.whole && limits.role != Role::Commissioner => {
            let text = "The figures of all referrals are for commissioners. Search your own with ServiceRequest?_summary=count.";
            Err(Problem::new(Kind::Forbidden, text).at("http.authorization"))
        }
        _ => Ok(()),
    }
}

/// The months that are asked for, as written and as a span of time.
fn months(request: &Request) -> Result<Vec<(String, DateTime)>, Problem> {
    let wrong = || {
        let text = format!("Give month=YYYY-MM, once for each month, at most {MOST}.");
        Problem::new(Kind::Invalid, text).at("http.query.month")
    };
    let mut months = Vec::new();
    for (name, value) in request.query.iter().filter(|(name, _)| !matches!(name.as_str(), "_format" | "_pretty")) {
        let is_month = value.len() == 7 && name == "month";
        let month = DateTime::parse_partial(value).ok().filter(|_| is_month).ok_or_else(wrong)?;
        months.push((value.clone(), month));
    }
    if (1..=MOST).contains(&months.len()) { Ok(months) } else { Err(wrong()) }
}

fn group(month: &str, counts: &[Activity]) -> Value {
    let strata: Vec<Value> = counts.iter().map(stratum).collect();
    let mut group = json!({ "code": { "text": month } });
    if !strata.is_empty() {
        group["stratifier"] = json!([{ "code": [{ "text": "status and service" }], "stratum": strata }]);
    }
    group
}

fn stratum(activity: &Activity) -> Value {
    let service = match (activity.system.as_str(), activity.code.as_str()) {
        ("", "") => json!({ "text": "no code" }),
        ("", code) => json!({ "coding": [{ "code": code }] }),
        (system, code) => json!({ "coding": [{ "system": system, "code": code }] }),
    };
    let status = json!({ "coding": [{ "system": "http://hl7.org/fhir/request-status", "code": activity.status }] });
    let mut population = json!({ "code": { "text": "referrals" } });
    if activity.count >= SMALLEST {
        population["count"] = json!(activity.count);
    } else {
        let reason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
        population["_count"] = json!({ "extension": [{ "url": reason, "valueCode": "masked" }] });
    }
    json!({
        "component": [
            { "code": { "text": "status" }, "value": status },
            { "code": { "text": "service" }, "value": service },
        ],
        "population": [population],
    })
}

fn report(server: &Server, months: &[(String, DateTime)], groups: &[Value]) -> Value {
    let texts = || months.iter().map(|(text, _)| text.as_str());
    json!({
        "resourceType": "MeasureReport",
        "id": server.clock.new_id(),
        "status": "complete",
        "type": "summary",
        "measure": "https://kith.example/fhir/Measure/kith-referral-activity",
        "date": format_instant(server.clock.now()),
        "period": { "start": texts().min(), "end": texts().max() },
        "group": groups,
    })
}
