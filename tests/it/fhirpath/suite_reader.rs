//! Reads HL7's FHIRPath test suite (`tests-fhir-r4.xml`).

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// One test of the suite.
#[derive(Debug, Default, Clone)]
pub struct Case {
    pub group: String,
    pub name: String,
    pub input: Option<String>,
    pub predicate: bool,
    pub ordered: bool,
    pub expression: String,
    pub invalid: Option<String>,
    pub outputs: Vec<Output>,
}

/// One expected item.
#[derive(Debug, Default, Clone)]
pub struct Output {
    pub type_: Option<String>,
    pub text: String,
}

enum Inside {
    Nothing,
    Expression,
    Output,
}

/// All tests of the suite, in order.
pub fn read(xml: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(xml);
    let (mut cases, mut case, mut group, mut inside) = (Vec::new(), Case::default(), String::new(), Inside::Nothing);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => inside = open(&start, &mut case, &mut group),
            Event::Text(text) => add(&mut case, &inside, &text),
            Event::GeneralRef(reference) => {
                let text = match &*reference {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    other => panic!("unknown entity {other}"),
                };
                add(&mut case, &inside, text);
            }
            Event::End(end) => {
                inside = Inside::Nothing;
                if end.name().as_ref() == "test" {
                    cases.push(std::mem::take(&mut case));
                }
            }
            Event::Eof => return cases,
            _ => {}
        }
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = start.attributes().map(Result::unwrap).find(|attribute| attribute.key.as_ref() == name)?;
    Some(attribute.value.to_string())
}

fn open(start: &BytesStart<'_>, case: &mut Case, group: &mut String) -> Inside {
    match start.name().as_ref() {
        "group" => *group = attribute(start, "name").unwrap_or_default(),
        "test" => {
            case.group.clone_from(group);
            case.name = attribute(start, "name").unwrap_or_default();
            case.input = attribute(start, "inputfile");
            case.predicate = attribute(start, "predicate").as_deref() == Some("true");
            case.ordered = attribute(start, "ordered").as_deref() != Some("false");
        }
        "expression" => {
            case.invalid = attribute(start, "invalid");
            return Inside::Expression;
        }
        "output" => {
            case.outputs.push(Output { type_: attribute(start, "type"), text: String::new() });
            return Inside::Output;
        }
        _ => {}
    }
    Inside::Nothing
}

fn add(case: &mut Case, inside: &Inside, text: &str) {
    match inside {
        Inside::Expression => case.expression.push_str(text),
        Inside::Output => case.outputs.last_mut().unwrap().text.push_str(text),
        Inside::Nothing => {}
    }
}
