//! `$validation-rules` at system level: the rules of the validator with the levels that this server gives them, and where
//! the specification says so. `rule` asks for one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::Grant;
use crate::access::scope::Permission;
use crate::config::RuleLevel;
use crate::fhir::suggest;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::validate::catalogue::{self, Entry};
use crate::validate::levels::Levels;

/// The operation.
#[derive(Debug)]
pub struct ValidationRules;

impl Operation for ValidationRules {
    fn name(&self) -> &'static str {
        "validation-rules"
    }

    fn definition(&self) -> &'static str {
        "https://kith.example/fhir/OperationDefinition/kith-validation-rules"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::System)
    }

    fn by_get(&self) -> bool {
        true
    }

    fn permission(&self) -> Option<Permission> {
        None
    }

    fn run<'a>(
        &'a self,
        server: &'a Arc<Server>,
        request: &'a Request,
        _level: &'a Level,
        _grant: Grant,
    ) -> Answer<'a> {
        Box::pin(async move {
            let answer = rules(&server.validator.settings().levels, request.parameter("rule"))?;
            server
                .store
                .audit(Stamp::of(request, server.clock.now()).record("operation $validation-rules", 200))
                .await?;
            Ok(Reply::new(200, Content::Resource(answer)))
        })
    }
}

fn rules(levels: &Levels, wanted: Option<&str>) -> Result<Value, Problem> {
    let of_catalogue = catalogue::all().iter().map(|entry| (entry.id.as_str(), documented(entry, levels)));
    let others = levels.chosen().filter(|(rule, _)| catalogue::find(rule).is_none());
    let others = others.map(|(rule, level)| (rule, chosen(rule, level)));
    let all: Vec<(&str, Value)> = of_catalogue.chain(others).collect();
    let Some(wanted) = wanted else {
        let parts: Vec<Value> = all.into_iter().map(|(_, part)| part).collect();
        return Ok(json!({ "resourceType": "Parameters", "parameter": parts }));
    };
    let nearest = suggest::nearest(wanted, all.iter().map(|(rule, _)| *rule)).map(str::to_owned);
    if let Some((_, part)) = all.into_iter().find(|(rule, _)| *rule == wanted) {
        return Ok(json!({ "resourceType": "Parameters", "parameter": [part] }));
    }
    let hint = nearest.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let text = format!("There is no such rule.{hint} Invariants have the level of their definition.");
    Err(Problem::new(Kind::NotFound, text).at("http.query.rule"))
}

fn documented(entry: &Entry, levels: &Levels) -> Value {
    let level = levels.of(&entry.id);
    let mut parts = vec![
        json!({ "name": "id", "valueCode": entry.id }),
        json!({ "name": "level", "valueCode": level.map_or(&*entry.severity, |level| level.code()) }),
        json!({ "name": "own-level", "valueCode": entry.severity }),
        json!({ "name": "change", "valueCode": entry.change.code() }),
        json!({ "name": "finds", "valueString": entry.finds }),
        json!({ "name": "specification", "valueUri": entry.specification }),
    ];
    if let Some(resource) = &entry.example.resource {
        parts.push(json!({ "name": "example", "resource": resource }));
    }
    json!({ "name": "rule", "part": parts })
}

/// An invariant with a level of its own, or the group of them.
fn chosen(rule: &str, level: RuleLevel) -> Value {
    json!({ "name": "rule", "part": [
        { "name": "id", "valueCode": rule },
        { "name": "level", "valueCode": level.code() },
        { "name": "change", "valueCode": "any" },
    ] })
}
