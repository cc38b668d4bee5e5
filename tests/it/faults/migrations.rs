//! Every earlier schema, with data in it, becomes the schema of today: what was stored is there, found and audited as before.
//!
//! A backup says of which schema its rows are, and is restored by making that schema, writing the rows and migrating on. So a
//! backup of today, with the tables and columns left out that a schema did not have yet, is a database of that schema.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use super::client::agrees;
use crate::support::TestDatabase;
use crate::support::http::TestServer;
use crate::support::process::command;

/// By which migration each table and each later column came.
struct Origins {
    newest: i64,
    tables: BTreeMap<String, i64>,
    columns: BTreeMap<(String, String), i64>,
    counters: BTreeMap<String, i64>,
}

impl Origins {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
        let mut origins =
            Self { newest: 0, tables: BTreeMap::new(), columns: BTreeMap::new(), counters: BTreeMap::new() };
        for file in crate::support::files(&folder, "sql") {
            let number: i64 = file.file_name().unwrap().to_str().unwrap()[..4].parse().unwrap();
            origins.newest = number;
            let text = std::fs::read_to_string(&file).unwrap();
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
            for statement in lines.join(" ").split(';') {
                let words: Vec<&str> = statement.split_whitespace().collect();
                match words.as_slice() {
                    ["create", "table", name, ..] => drop(origins.tables.entry((*name).to_owned()).or_insert(number)),
                    ["insert", "into", "counter", .., name, _] => {
                        origins.counters.insert(name.trim_matches(['(', ',', '\'']).to_owned(), number);
                    }
                    ["alter", "table", name, "add", "column", column, ..] => {
                        origins.columns.insert(((*name).to_owned(), (*column).to_owned()), number);
                    }
                    _ => {}
                }
            }
        }
        // Made anew under another name, with one more column.
        origins.columns.insert(("index_reference".to_owned(), "leading_date".to_owned()), 5);
        origins
    }

    fn table_is_in(&self, table: &str, schema: i64) -> bool {
        self.tables.get(table).is_some_and(|origin| *origin <= schema)
    }

    fn column_is_in(&self, table: &str, column: &str, schema: i64) -> bool {
        self.columns.get(&(table.to_owned(), column.to_owned())).is_none_or(|origin| *origin <= schema)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn digest(lines: &[String]) -> String {
    hex(&openssl::sha::sha256(lines.concat().as_bytes()))
}

/// The backup as it would have been of an earlier schema.
fn aged(origins: &Origins, file: &Path, schema: i64) -> Vec<u8> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut head = lines.next().unwrap();
    head["schema"] = schema.into();
    let (mut out, mut part, mut parts) = (vec![format!("{head}\n")], Vec::new(), Vec::new());
    let (mut table, mut kept) = (String::new(), Vec::new());
    for line in lines {
        if let Some(name) = line["table"].as_str() {
            name.clone_into(&mut table);
            let columns = line["columns"].as_array().unwrap();
            kept =
                columns.iter().map(|column| origins.column_is_in(name, column[0].as_str().unwrap(), schema)).collect();
            let columns: Vec<&Value> =
                columns.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(column, _)| column).collect();
            part = vec![format!("{}\n", json!({ "table": name, "columns": columns }))];
        } else if let Value::Array(cells) = line {
            if table == "counter"
                && origins.counters.get(cells[0].as_str().unwrap()).is_some_and(|origin| *origin > schema)
            {
                continue;
            }
            let cells: Vec<Value> =
                cells.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell).collect();
            part.push(format!("{}\n", Value::Array(cells)));
        } else if line["end"].is_string() && origins.table_is_in(&table, schema) {
            let end = json!({ "end": table, "rows": part.len() - 1, "sha256": digest(&part) });
            parts.push(json!({ "table": table, "rows": end["rows"], "sha256": end["sha256"] }));
            out.append(&mut part);
            out.push(format!("{end}\n"));
        }
    }
    let whole = digest(&out);
    out.push(format!("{}\n", json!({ "manifest": parts, "sha256": whole })));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(out.concat().as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// What must be found as before.
fn answers(server: &TestServer) -> Vec<Value> {
    let paths = [
        "Task?owner=Organization/green-path&status=requested&_sort=-authored-on",
        "ServiceRequest?subject.identifier:missing=false&_sort=_id",
        "Patient?_sort=_id",
        "Organization?_has:Task:owner:status=requested",
        "Location?near=54.6|-3.1|1|km",
        "Observation?code-value-quantity=ONS4$7.5",
        "Observation?value-quantity=gt7",
        "_history?_count=1000",
    ];
    let mut all = Vec::new();
    for path in paths {
        let mut bundle = server.get(path).expect(200).json();
        let mut resources: Vec<Value> =
            bundle["entry"].as_array_mut().into_iter().flatten().map(|entry| entry["resource"].take()).collect();
        if !path.contains("_sort") && !path.contains("_history") {
            resources.sort_by_key(ToString::to_string);
        }
        all.push(json!([path, resources]));
    }
    all
}

fn every_schema_becomes_that_of_today(database: &TestDatabase, targets: fn() -> TestDatabase) {
    let before = {
        let server = TestServer::start(database);
        let referral: Value =
            serde_json::from_str(include_str!("../../../fixtures/valid/Bundle-direct-referral.json")).unwrap();
        server.post("", &referral).expect(200);
        server.post("Location", &json!({ "resourceType": "Location", "name": "Hall", "position": { "longitude": -3.1, "latitude": 54.6 } })).expect(201);
        server.post("Observation", &json!({
            "resourceType": "Observation", "status": "final", "code": { "coding": [{ "system": "https://example.org", "code": "ONS4" }] },
            "valueQuantity": { "value": 7.5, "system": "http://unitsofmeasure.org", "code": "1" },
        })).expect(201);
        answers(&server)
    };
    assert!(before[0][1].as_array().unwrap().len() == 1, "{}", before[0]);
    let file = database.folder().join("today.gz");
    assert!(command(database, &["backup"]).arg(&file).status().unwrap().success());
    let origins = Origins::read();
    assert!(origins.newest >= 5);
    for schema in 1..origins.newest {
        let old = database.folder().join(format!("schema-{schema}.gz"));
        std::fs::write(&old, aged(&origins, &file, schema)).unwrap();
        let target = targets();
        std::fs::copy(database.settings().audit_key_file(), target.settings().audit_key_file()).unwrap();
        let output = command(&target, &["restore"]).arg(&old).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "schema {schema}: {output:?}");
        // Kinds of search that a schema did not have yet are indexed by the server that finds older rows.
        assert!(command(&target, &["reindex"]).output().unwrap().status.success());
        let server = TestServer::start(&target);
        assert_eq!(answers(&server), before, "schema {schema}");
        server.post("Patient", &json!({ "resourceType": "Patient", "maritalStatus": { "text": "x" } })).expect(201);
        drop(server);
        crate::oauth::world::run(agrees(&target));
    }
}

#[test]
fn on_sqlite() {
    every_schema_becomes_that_of_today(&TestDatabase::sqlite(), TestDatabase::sqlite);
}

#[test]
fn on_postgres() {
    let Some(database) = TestDatabase::postgres() else { return };
    every_schema_becomes_that_of_today(&database, || TestDatabase::postgres().unwrap());
}
