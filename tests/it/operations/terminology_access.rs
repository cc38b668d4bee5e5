//! Who may call the terminology operations, and the audit row that each call leaves.

use serde_json::{Value, json};

use super::terminology::{ANIMALS, PETS, animals, filled, parameters};
use crate::oauth::world::{Keys, guarded, register, token, with};
use crate::support::{TestDatabase, over_http, sql};

/// Interaction, status, resource type and id of the rows of operations, oldest first.
fn rows(database: &TestDatabase) -> Vec<(String, i64, String, String)> {
    let sql = "select interaction, status, resource_type, resource_id from audit where interaction like 'operation%' \
         order by recorded, sequence";
    tokio::runtime::Runtime::new().unwrap().block_on(sql::rows(database, sql))
}

fn every_call_leaves_its_row(database: &TestDatabase) {
    let server = filled(database);
    let map = json!({ "resourceType": "ConceptMap", "id": "m", "url": "http://test.example/ConceptMap/m", "status": "active",
        "group": [{ "source": ANIMALS, "target": "http://test.example/other", "element": [{ "code": "dog",
            "target": [{ "code": "d", "equivalence": "equal" }] }] }] });
    server.put("ConceptMap/m", &map).expect(201);
    let calls = [
        ("ValueSet/pets/$expand".to_owned(), 200, "operation $expand", "ValueSet", "pets"),
        (format!("ValueSet/$expand?url={PETS}"), 200, "operation $expand", "ValueSet", ""),
        ("ValueSet/nobody/$expand".to_owned(), 404, "operation $expand", "ValueSet", "nobody"),
        (
            format!("ValueSet/pets/$validate-code?system={ANIMALS}&code=dog"),
            200,
            "operation $validate-code",
            "ValueSet",
            "pets",
        ),
        (
            "CodeSystem/animals/$validate-code?code=dog".to_owned(),
            200,
            "operation $validate-code",
            "CodeSystem",
            "animals",
        ),
        (format!("CodeSystem/$lookup?system={ANIMALS}&code=dog"), 200, "operation $lookup", "CodeSystem", ""),
        (format!("CodeSystem/$lookup?system={ANIMALS}&code=none"), 404, "operation $lookup", "CodeSystem", ""),
        ("CodeSystem/$lookup?system=http://loinc.org&code=1-8".to_owned(), 422, "operation $lookup", "CodeSystem", ""),
        (
            format!("CodeSystem/$subsumes?system={ANIMALS}&codeA=dog&codeB=cat"),
            200,
            "operation $subsumes",
            "CodeSystem",
            "",
        ),
        (format!("ConceptMap/m/$translate?system={ANIMALS}&code=dog"), 200, "operation $translate", "ConceptMap", "m"),
        ("ValueSet/pets/$expand?count=x".to_owned(), 400, "operation $expand", "ValueSet", "pets"),
    ];
    for (path, status, ..) in &calls {
        server.get(path).expect(*status);
    }
    let sent =
        parameters(json!([{ "name": "code", "valueCode": "dog" }, { "name": "codeSystem", "resource": animals() }]));
    server.post("CodeSystem/$validate-code", &sent).expect(200);
    drop(server);
    let row = |interaction: &str, status: u16, kind: &str, id: &str| {
        (interaction.to_owned(), i64::from(status), kind.to_owned(), id.to_owned())
    };
    let mut expected: Vec<_> = calls.iter().map(|(_, status, name, kind, id)| row(name, *status, kind, id)).collect();
    expected.push(row("operation $validate-code", 200, "CodeSystem", ""));
    assert_eq!(rows(database), expected);
}

fn scopes_decide_by_resource_type(database: &TestDatabase) {
    let server = guarded(database);
    let keys = Keys::elliptic("a");
    let all = "system/ValueSet.cruds system/CodeSystem.cruds system/ConceptMap.rs";
    register(&server.server.store, "terminology", &[&keys], all);
    let writer = token(&server, "terminology", &keys, "system/ValueSet.cruds system/CodeSystem.cruds");
    with(&server, &writer, "PUT", "CodeSystem/animals", Some(&animals())).expect(201);
    let pets = super::terminology::value_set("pets", json!({ "include": [{ "system": ANIMALS }] }));
    with(&server, &writer, "PUT", "ValueSet/pets", Some(&pets)).expect(201);
    let calls = [
        ("ValueSet", "ValueSet/pets/$expand".to_owned()),
        ("ValueSet", format!("ValueSet/$expand?url={PETS}")),
        ("ValueSet", format!("ValueSet/$validate-code?url={PETS}&system={ANIMALS}&code=dog")),
        ("CodeSystem", "CodeSystem/animals/$validate-code?code=dog".to_owned()),
        ("CodeSystem", format!("CodeSystem/$lookup?system={ANIMALS}&code=dog")),
        ("CodeSystem", format!("CodeSystem/$subsumes?system={ANIMALS}&codeA=dog&codeB=cat")),
        (
            "ConceptMap",
            format!("ConceptMap/$translate?system={ANIMALS}&code=dog&targetsystem=http://test.example/other"),
        ),
    ];
    for scope in ["ValueSet.r", "CodeSystem.r", "ConceptMap.r", "ValueSet.s", "CodeSystem.cud"] {
        let token = token(&server, "terminology", &keys, &format!("system/{scope}"));
        for (resource_type, path) in &calls {
            let allowed = scope == format!("{resource_type}.r");
            let answer = with(&server, &token, "GET", path, None);
            assert_eq!(answer.status == 200, allowed, "{scope} {path}: {} {}", answer.status, answer.text);
            assert!(allowed || answer.status == 403, "{scope} {path}: {}", answer.text);
        }
    }
    let body: Option<&Value> = None;
    assert_eq!(with(&server, "nonsense", "GET", "ValueSet/pets/$expand", body).status, 401);
}

over_http!(every_call_leaves_its_row, scopes_decide_by_resource_type);
