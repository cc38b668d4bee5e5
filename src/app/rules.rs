//! The page of all validation rules: what each finds, how bad that is, an example that breaks it and the issue that this
//! raises. It is made from the catalogue by validating the examples. `kith rules` prints it, the server shows it at `/rules`.

mod html;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::config::RuleLevel;
use crate::fhir::codec::{Limits, json as json_codec, xml};
use crate::fhir::definitions::Definitions;
use crate::fhir::definitions::package::{Manifest, Package};
use crate::fhir::issue::Issue;
use crate::fhir::types::Types;
use crate::problem::Problem;
use crate::referral;
use crate::validate::catalogue::{self, Change, Entry, Example};
use crate::validate::{Options, Validator};

/// Registers the page.
pub(super) fn routes(config: &mut ServiceConfig) {
    let page = web::resource("/rules").route(web::get().to(shown_page)).route(web::head().to(shown_page));
    config.service(page.default_service(web::to(super::health::not_offered)));
}

/// The page is made once in each form: for browsers, in which the address of a rule (`/rules#unit-code`) leads to it, and as
/// Markdown.
async fn shown_page(request: HttpRequest) -> HttpResponse {
    static PAGES: OnceLock<Option<[String; 2]>> = OnceLock::new();
    let make = || shown(catalogue::all()).ok().map(|rules| [markdown(&rules), html::page(&rules)]);
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let for_browsers = accept.is_some_and(|accept| accept.contains("text/html"));
    match web::block(move || PAGES.get_or_init(make)).await {
        Ok(Some([_, page])) if for_browsers => HttpResponse::Ok()
            .insert_header((header::VARY, "Accept"))
            .content_type("text/html; charset=utf-8")
            .body(page.as_str()),
        Ok(Some([page, _])) => HttpResponse::Ok()
            .insert_header((header::VARY, "Accept"))
            .content_type("text/markdown; charset=utf-8")
            .body(page.as_str()),
        _ => HttpResponse::InternalServerError().finish(),
    }
}

/// A rule and the issue that its example raises.
#[derive(Debug)]
pub struct Shown {
    /// The rule.
    pub entry: &'static Entry,
    /// The issue of this rule; none where the example does not break it, which a test rules out.
    pub issue: Option<Issue>,
}

/// These rules, each with the issue that its example raises. Err: the definitions of an example cannot be loaded.
pub fn shown(entries: impl IntoIterator<Item = &'static Entry>) -> Result<Vec<Shown>, Problem> {
    let plain = Validator::new(Definitions::embedded(), super::validation(&BTreeMap::new()))?;
    let show = |entry: &'static Entry| {
        let issues = if entry.severity == "off" {
            let levels = BTreeMap::from([(entry.id.clone(), RuleLevel::Error)]);
            issues(&Validator::new(Definitions::embedded(), super::validation(&levels))?, &entry.example)?
        } else {
            issues(&plain, &entry.example)?
        };
        Ok(Shown { entry, issue: issues.into_iter().find(|issue| issue.rule == entry.id) })
    };
    entries.into_iter().map(show).collect()
}

/// What validation says of an example.
fn issues(plain: &Validator, example: &Example) -> Result<Vec<Issue>, Problem> {
    let Some(resource) = &example.resource else {
        return Ok(unreadable(example.text.as_deref().unwrap_or_default()));
    };
    let own;
    let validator = if example.definitions.is_empty() {
        plain
    } else {
        let manifest =
            Manifest { name: "example".to_owned(), fhir_versions: vec!["4.0.1".to_owned()], ..Manifest::default() };
        let package = Package::new(manifest, &example.definitions);
        let definitions = Definitions::embedded().with_packages(vec![package])?;
        own = Validator::new(Arc::new(definitions), super::validation(&BTreeMap::new()))?;
        &own
    };
    let options = Options { profiles: example.profile.iter().cloned().collect(), ..Options::default() };
    let mut issues = validator.validate(resource, &options);
    issues.extend(referral::check(resource));
    Ok(issues)
}

fn unreadable(text: &str) -> Vec<Issue> {
    let limits = Limits::default();
    let read = if text.starts_with('<') {
        xml::parse(text.as_bytes(), &limits, Types::r4())
    } else {
        json_codec::parse(text.as_bytes(), &limits)
    };
    read.err().map(|problem| problem.issues().to_vec()).unwrap_or_default()
}

/// The page for people, as Markdown.
pub fn markdown(rules: &[Shown]) -> String {
    let mut page = format!(
        "# Validation rules of Kith {}\n\n\
         Issues carry the id of their rule in `details.coding` (system `{}`). A deployment sets levels with \
         `validation.rules`, for example `\"nhs-number-check-digit\" = \"warning\"`; `best-practice` stands for the \
         invariants of best practice. Invariants of definitions have their key as id (`pat-1`) and may have any level.\n\n",
        env!("CARGO_PKG_VERSION"),
        crate::fhir::issue::RULE_SYSTEM
    );
    for rule in rules {
        section(&mut page, rule);
    }
    page
}

fn section(page: &mut String, Shown { entry, issue }: &Shown) {
    let change = allowed(entry.change);
    let _ = write!(
        page,
        "## {id}\n\n{finds}\n\nLevel: {severity}; {change}. Specification: <{specification}>\n\n",
        id = entry.id,
        finds = entry.finds,
        severity = entry.severity,
        specification = entry.specification
    );
    for definition in &entry.example.definitions {
        let _ = write!(page, "With this definition:\n\n```json\n{}\n```\n\n", pretty(definition));
    }
    if let Some(needs) = &entry.example.needs {
        let _ = write!(page, "With {needs} loaded:\n\n");
    }
    let asked =
        entry.example.profile.as_ref().map_or_else(String::new, |profile| format!(", validated against {profile}"));
    let text = entry.example.text.clone().unwrap_or_default();
    let shown = entry.example.resource.as_ref().map_or(text, pretty);
    let _ = write!(page, "Example{asked}:\n\n```json\n{shown}\n```\n\n");
    if let Some(issue) = issue {
        let place = issue.expression.as_ref().map_or_else(String::new, |expression| format!(" at `{expression}`"));
        let _ = write!(page, "{} `{}`{place}: {}\n\n", issue.severity.code(), issue.rule, issue.text);
    }
}

/// What a deployment may do with the level of a rule, in words.
const fn allowed(change: Change) -> &'static str {
    match change {
        Change::Never => "cannot be changed",
        Change::Report => "may be set to error, warning or information",
        Change::Any => "may be set to error, warning, information or off",
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The page for programs: an array of objects.
#[must_use]
pub fn json(rules: &[Shown]) -> Value {
    let rule = |Shown { entry, issue }: &Shown| {
        json!({
            "id": entry.id, "level": entry.severity, "change": entry.change.code(), "finds": entry.finds,
            "specification": entry.specification,
            "example": {
                "resource": entry.example.resource, "text": entry.example.text, "profile": entry.example.profile,
                "definitions": entry.example.definitions,
            },
            "issue": issue.as_ref().map(Issue::to_json),
        })
    };
    rules.iter().map(rule).collect()
}

/// The whole page as Markdown.
pub fn page() -> Result<String, Problem> {
    shown(catalogue::all()).map(|rules| markdown(&rules))
}
