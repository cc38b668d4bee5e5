//! `kith validate`: folders, NDJSON, standard input, order, reports as text, JSON and SARIF, levels of rules, exit codes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn kith(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kith"))
        .arg("validate")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn patient(id: usize, gender: &str) -> String {
    json!({ "resourceType": "Patient", "id": id.to_string(), "gender": gender }).to_string()
}

/// A folder with a valid and an invalid resource, NDJSON of many, and files that are no resources.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("a.json", &patient(1, "female"));
    write("deeper/b.xml", "<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"femail\"/>\n</Patient>");
    let lines: Vec<String> =
        (0..300).map(|number| patient(number, if number % 100 == 99 { "womann" } else { "male" })).collect();
    write("c.ndjson", &lines.join("\n"));
    write("notes.txt", "no resource");
    write(".hidden.json", "{}");
    write("package.json", "{}");
    folder
}

fn path(folder: &Path) -> String {
    folder.display().to_string()
}

#[test]
fn a_folder_is_validated_in_order_with_a_table_by_rule() {
    let folder = folder();
    let run = |threads: &str| kith(&[&path(folder.path()), "--threads", threads, "--severity", "dom-6=off"], "");
    let (one, four) = (run("1"), run("4"));
    assert_eq!(one.status.code(), Some(1));
    assert_eq!(text(&one), text(&four), "the order does not depend on threads");
    let report = text(&one);
    let verdicts: Vec<&str> =
        report.lines().filter(|line| line.contains(": valid (") || line.contains(": invalid (")).collect();
    assert_eq!(verdicts.len(), 302, "{report}");
    assert!(verdicts[0].contains("a.json: valid"), "{}", verdicts[0]);
    assert!(verdicts[1].contains("c.ndjson:1: valid") && verdicts[100].contains("c.ndjson:100: invalid"));
    assert!(verdicts[301].contains("b.xml: invalid"), "{}", verdicts[301]);
    assert!(report.contains("error line 2, Patient.gender [binding-required]"), "{report}");
    assert!(report.contains("error line 100, Patient.gender [binding-required]"), "{report}");
    let table: Vec<Vec<&str>> = report.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(table.contains(&vec!["rule", "errors", "warnings", "information"]), "{report}");
    assert!(table.contains(&vec!["binding-required", "4", "0", "0"]), "{report}");
    assert!(report.ends_with("302 resources: 298 valid, 4 invalid (4 errors, 0 warnings)\n"), "{report}");
}

#[test]
fn standard_input_is_one_resource_or_one_a_line() {
    let one = kith(&["-"], &patient(1, "female"));
    assert_eq!(one.status.code(), Some(0), "{}", text(&one));
    let pretty = kith(&["-"], "{\n  \"resourceType\": \"Patient\",\n  \"gender\": \"femail\"\n}");
    assert_eq!(pretty.status.code(), Some(1));
    assert!(text(&pretty).contains("error line 3, Patient.gender"), "{}", text(&pretty));
    let lines = kith(&["-", "--format", "json"], &format!("{}\n\n{}\n", patient(1, "female"), patient(2, "femail")));
    assert_eq!(lines.status.code(), Some(1));
    let outcomes: Vec<Value> = text(&lines).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(outcomes.len(), 2);
    let places: Vec<&Value> = outcomes.iter().map(|outcome| &outcome["extension"][0]["valueString"]).collect();
    assert_eq!(places, ["-:1", "-:3"]);
    let error = outcomes[1]["issue"].as_array().unwrap().iter().find(|issue| issue["severity"] == "error").unwrap();
    assert_eq!(error["details"]["coding"][0]["code"], "binding-required");
    let line =
        error["extension"].as_array().unwrap().iter().find(|extension| {
            extension["url"] == "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
        });
    assert_eq!(line.unwrap()["valueInteger"], 3);
}

/// What the schema of SARIF 2.1.0 demands of what is used here.
fn check_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    for run in log["runs"].as_array().unwrap() {
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "kith");
        let rules: Vec<&str> =
            driver["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        for rule in driver["rules"].as_array().unwrap() {
            assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
            let level = rule["defaultConfiguration"]["level"].as_str();
            assert!(level.is_none_or(|level| ["none", "note", "warning", "error"].contains(&level)), "{rule}");
            assert!(rule["helpUri"].as_str().is_none_or(|uri| uri.starts_with("https://")), "{rule}");
        }
        for result in run["results"].as_array().unwrap() {
            assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()), "{result}");
            assert!(result["message"]["text"].is_string(), "{result}");
            assert!(rules.contains(&result["ruleId"].as_str().unwrap()), "{result}");
            let physical = &result["locations"][0]["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.contains(' '), "{uri}");
            if let Some(region) = physical.get("region") {
                assert!(region["startLine"].as_u64().unwrap() >= 1 && region["startColumn"].as_u64().unwrap() >= 1);
            }
        }
    }
}

#[test]
fn sarif_names_rules_files_and_lines() {
    let folder = folder();
    std::fs::rename(folder.path().join("a.json"), folder.path().join("a b.json")).unwrap();
    let output = kith(&[&path(folder.path()), "--format", "sarif"], "");
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_str(&text(&output)).unwrap();
    check_sarif(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let errors: Vec<&Value> = results.iter().filter(|result| result["level"] == "error").collect();
    assert_eq!(errors.len(), 4);
    let place = &errors[3]["locations"][0];
    assert!(place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().ends_with("deeper/b.xml"));
    assert_eq!(place["physicalLocation"]["region"]["startLine"], 2);
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "Patient.gender");
    let nothing = kith(&["-", "--format", "sarif", "--severity", "best-practice=off"], &patient(1, "female"));
    let log: Value = serde_json::from_str(&text(&nothing)).unwrap();
    check_sarif(&log);
    assert_eq!(log["runs"][0]["results"], json!([]));
}

#[test]
fn what_cannot_run_ends_with_code_2_and_says_why() {
    for (arguments, hint) in [
        (&["/nowhere/at/all.json"][..], "/nowhere/at/all.json cannot be read"),
        (&["-", "--severity", "dom6=off"], "Did you mean dom-6?"),
        (&["-", "--severity", "json-kind=warning"], "json-kind keeps its level"),
        (&["-", "--severity", "dom-6=loud"], "must be one of error, warning, information, off"),
        (
            &["-", "--profile", "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patent"],
            "Did you mean https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient?",
        ),
    ] {
        let output = kith(arguments, "");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(hint), "{arguments:?}: {error}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(kith(&[&path(empty.path())], "").status.code(), Some(2));
    let broken = kith(&["-"], "{\"resourceType\": \"Patient\",}");
    assert_eq!(broken.status.code(), Some(1), "a text that is no JSON is invalid, not a failure to run");
}

#[test]
fn the_page_of_rules_has_every_rule_with_the_issue_that_its_example_raises() {
    let rules = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kith")).arg("rules").args(arguments).output().unwrap();
        (output.status.code(), text(&output), String::from_utf8(output.stderr).unwrap())
    };
    let (code, page, _) = rules(&[]);
    assert_eq!(code, Some(0));
    let (_, list, _) = rules(&["--format", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list.as_array().unwrap().len(), kith::validate::catalogue::all().len());
    for rule in list.as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        assert!(page.contains(&format!("\n## {id}\n")), "{id}");
        if id == "code-inactive" {
            continue;
        }
        assert_eq!(rule["issue"]["details"]["coding"][0]["code"], id, "the example does not break the rule");
        let level = if rule["level"] == "off" { &json!("error") } else { &rule["level"] };
        assert_eq!(&rule["issue"]["severity"], level, "{id}");
    }
    let (code, one, _) = rules(&["dom-6"]);
    assert_eq!((code, one.matches("\n## ").count()), (Some(0), 1));
    let (code, _, error) = rules(&["dom6"]);
    assert!(code == Some(2) && error.contains("Did you mean dom-6?"), "{error}");
}
