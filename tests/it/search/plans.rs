//! Query plans: the searches that must stay fast start from an index on both databases and read no table from end to end.

use std::collections::HashMap;

use kith::search::query::{Handling, Restrictions};
use kith::search::sql::{Bind, Page, Position, Round, Statement, include, stages};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::parsed;
use super::world::store_all;
use crate::support::{TestDatabase, both};

/// Searches, and the index (or clustered table) that each must use, by a part of its name.
const TABLE: &[(&str, &str)] = &[
    ("Patient?identifier=urn:n|5", "index_token"),
    ("Patient?identifier=5", "index_token"),
    ("Patient?family=name", "index_string"),
    ("Patient?birthdate=1980-01-01", "index_date"),
    ("Task?owner=Organization/o1&status=requested&_sort=-authored-on", "index_reference"),
    ("ServiceRequest?patient=Patient/p5", "index_reference"),
    ("ServiceRequest?patient=p5&_sort=-authored", "index_reference"),
    ("Task?status=requested", "index_token"),
    ("Task?status=requested&_sort=-authored-on", "index_date"),
    ("Task?_sort=-authored-on", "index_date"),
    ("Task?_sort=authored-on", "index_date"),
    ("Patient?_sort=family", "index_string"),
    ("Task?_sort=-_lastUpdated", "resource_last_updated"),
    ("Task?_id=t5", "resource_identity"),
    ("Task", "resource_identity"),
    ("Task?patient.identifier=urn:n|5", "index_token"),
    ("Task?focus:ServiceRequest.subject:Patient.identifier=urn:n|5", "index_token"),
    ("Patient?_has:Task:patient:owner=Organization/o1", "index_reference"),
    ("Task?authored-on=ge2026-01-03&_sort=-authored-on", "index_date"),
];

fn resources() -> Vec<Value> {
    let mut all = Vec::new();
    for n in 0..40 {
        all.push(json!({ "resourceType": "Patient", "id": format!("p{n}"), "birthDate": "1980-01-01",
            "name": [{ "family": format!("Name{n}") }], "identifier": [{ "system": "urn:n", "value": n.to_string() }] }));
        all.push(
            json!({ "resourceType": "ServiceRequest", "id": format!("s{n}"), "status": "active", "intent": "order",
            "subject": { "reference": format!("Patient/p{n}") }, "authoredOn": "2026-01-01" }),
        );
        all.push(json!({ "resourceType": "Task", "id": format!("t{n}"), "status": "requested", "intent": "order",
            "for": { "reference": format!("Patient/p{n}") }, "focus": { "reference": format!("ServiceRequest/s{n}") },
            "owner": { "reference": format!("Organization/o{}", n % 5) }, "authoredOn": format!("2026-01-{:02}", n % 28 + 1) }));
    }
    all
}

/// The statement with its values written out, so that it can be explained.
fn literal(statement: &Statement, numbers: &HashMap<(String, String), i64>) -> String {
    let mut sql = statement.sql.clone();
    for (position, bind) in statement.binds.iter().enumerate().rev() {
        let value = match bind {
            Bind::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Bind::Integer(integer) => integer.to_string(),
            Bind::Real(real) => real.to_string(),
            Bind::Bool(boolean) => boolean.to_string(),
            Bind::Parameter { resource_type, code } => {
                numbers.get(&(resource_type.clone(), code.clone())).unwrap_or(&-1).to_string()
            }
        };
        sql = sql.replace(&format!("${}", position + 1), &value);
    }
    sql
}

/// Explains statements on the database the test runs on.
async fn explain(database: &TestDatabase, statements: &[Statement]) -> Vec<String> {
    let numbers = "select type, code, id from search_parameter";
    let mut plans = Vec::new();
    if database.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        // So few rows would be read from end to end; the question is whether an index can be used at all.
        sqlx::raw_sql("analyze; set enable_seqscan = off; set enable_bitmapscan = off")
            .execute(&mut connection)
            .await
            .unwrap();
        let rows: Vec<(String, String, i64)> = sqlx::query_as(numbers).fetch_all(&mut connection).await.unwrap();
        let numbers = rows.into_iter().map(|(a, b, id)| ((a, b), id)).collect();
        for statement in statements {
            let text = format!("explain {}", literal(statement, &numbers));
            let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
            plans.push(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n"));
        }
    } else {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        let rows: Vec<(String, String, i64)> = sqlx::query_as(numbers).fetch_all(&mut connection).await.unwrap();
        let numbers = rows.into_iter().map(|(a, b, id)| ((a, b), id)).collect();
        for statement in statements {
            let text = format!("explain query plan {}", literal(statement, &numbers));
            let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut connection).await.unwrap();
            plans.push(rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n"));
        }
    }
    plans
}

/// Lines of a plan that read a table of ours from end to end.
fn scans(plan: &str) -> Vec<&str> {
    plan.lines()
        .map(str::trim)
        .filter(|line| {
            let sqlite = line.starts_with("SCAN ") && !line.contains("USING") && !line.contains("CONSTANT");
            // A co-routine is a part of the statement, not a table.
            let subquery = ["q", "s", "a0", "r"]
                .iter()
                .any(|name| line.ends_with(&format!("SCAN {name}")) && plan.contains(&format!("CO-ROUTINE {name}")));
            // The keys that inclusions start from are given with the statement.
            let given = plan.contains("CONSTANT ROWS") && ["SCAN s", "SCAN known"].contains(line);
            (sqlite && !subquery && !given) || line.contains("Seq Scan")
        })
        .collect()
}

/// Whether a plan goes through an index. SQLite names the columns of clustered tables, not the tables.
fn uses(plan: &str, index: &str) -> bool {
    let columns = match index {
        "index_token" => "(parameter=? AND code=?",
        "index_string" | "index_date" => "PRIMARY KEY (parameter=?",
        "index_reference" => "(target_id=?",
        other => other,
    };
    // The whole type must not be walked where an index of values leads to the matches.
    let whole_type =
        index != "resource_last_updated" && plan.contains("SEARCH r USING INDEX resource_last_updated (type=?)");
    (plan.contains(index) || plan.contains(columns)) && !whole_type
}

both! {
    async fn searches_start_from_an_index(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        for (search, index) in TABLE {
            let query = parsed(search, Handling::Strict).unwrap();
            let page = Page { query: &query, few: false, after: None, limit: 20 };
            let first = stages(&page).remove(0).statement;
            let plan = explain(&database, &[first]).await.remove(0);
            assert!(uses(&plan, index), "{search}:\n{plan}");
            assert!(scans(&plan).is_empty(), "{search}:\n{plan}");
        }
        store.close().await;
    }

    async fn what_refers_to_one_target_lies_in_order(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        for (search, operator) in [
            ("Task?owner=Organization/o1&status=requested&_sort=-authored-on", "<"),
            ("Task?owner=Organization/o1&status=requested&_sort=authored-on", ">"),
            ("ServiceRequest?patient=Patient/p5&_sort=-authored", "<"),
        ] {
            let query = parsed(search, Handling::Strict).unwrap();
            let first = Page { query: &query, few: false, after: None, limit: 20 };
            let values = vec![Some(Bind::Integer(1_767_916_800_000_000))];
            let there = Position { stage: 3, values, key: 20, backwards: false };
            let back = Position { backwards: true, ..there.clone() };
            let pages = [None, Some(&there), Some(&back)].map(|after| stages(&Page { after, ..first }).remove(0).statement);
            let plans = explain(&database, &pages).await;
            for plan in &plans {
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{search}:\n{plan}");
                assert!(uses(plan, "index_reference"), "{search}:\n{plan}");
            }
            let other = if operator == "<" { ">" } else { "<" };
            for (plan, operator) in plans[1..].iter().zip([operator, other]) {
                let begins = plan.contains(&format!("(leading_date,resource_key){operator}(?,?)"))
                    || plan.contains(&format!("ROW(leading_date, resource_key) {operator}"));
                assert!(begins, "{search}:\n{plan}");
            }
        }
        store.close().await;
    }

    async fn deep_pages_start_where_the_last_ended(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        let text = |text: &str| vec![Some(Bind::Text(text.to_owned()))];
        let low = vec![Some(Bind::Integer(1_767_916_800_000_000))];
        for (search, values, sqlite, postgres) in [
            ("Task", text("t2"), "id>?", "(id >= 't2'"),
            ("Task?_sort=-authored-on", low.clone(), "low<?", "low <= "),
            ("Task?_sort=-_lastUpdated", low, "last_updated<?", "(ROW(last_updated, key) <"),
            ("Patient?_sort=family", text("name2"), "folded>?", "folded >= "),
            ("Task?status=requested", Vec::new(), "resource_key>?", "resource_key > "),
        ] {
            let query = parsed(search, Handling::Strict).unwrap();
            let wanted = if database.is_postgres() { postgres } else { sqlite };
            for backwards in [false, true] {
                let position = Position { stage: 0, values: values.clone(), key: 20, backwards };
                let page = Page { query: &query, few: false, after: Some(&position), limit: 20 };
                let plan = explain(&database, &[stages(&page).remove(0).statement]).await.remove(0);
                let turned = if wanted.contains('<') { wanted.replace('<', ">") } else { wanted.replace('>', "<") };
                let wanted = if backwards { turned.as_str() } else { wanted };
                let line = plan.lines().find(|line| line.contains(wanted) && !line.contains("Filter:"));
                assert!(line.is_some(), "{search}, {backwards}:\n{plan}");
            }
        }
        store.close().await;
    }

    async fn inclusions_use_indexes_both_ways(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        for search in [
            "Task?_include=Task:focus",
            "ServiceRequest?_revinclude=Task:focus",
            "ServiceRequest?_revinclude=*",
            "Task?_include=*",
            "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire",
            "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire",
        ] {
            let query = parsed(search, Handling::Strict).unwrap();
            let restrictions = Restrictions::none();
            let round = Round { seeds: &[2, 3], known: &[2, 3], restrictions: &restrictions, limit: 100 };
            let statement = include(&[&query.includes[0]], &round).unwrap();
            let plan = explain(&database, &[statement]).await.remove(0);
            assert!(scans(&plan).is_empty(), "{search}:\n{plan}");
            assert!(uses(&plan, "index_reference"), "{search}:\n{plan}");
        }
        store.close().await;
    }
}
