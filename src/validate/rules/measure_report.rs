//! `measure-report-subjects`: a MeasureReport lists its subjects only where it is a list of subjects, and as many as it counts
//! (<https://hl7.org/fhir/R4/measurereport-definitions.html#MeasureReport.group.population.subjectResults>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{has, member, text};

use crate::validate::run::{Origin, Place, Run};

use super::reference;

const RULE: &str = "measure-report-subjects";

/// Checks the populations of a MeasureReport.
pub fn check<'a>(run: &mut Run<'_, 'a>, report: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let is_list = text(report, "type") == Some("subject-list");
    let groups = place.path.element("group");
    for (index, group) in list(report, "group").iter().enumerate() {
        let path = groups.index(index);
        let populations = path.element("population");
        for (index, population) in list(group, "population").iter().enumerate() {
            check_population(run, population, is_list, place.with_path(&populations.index(index)), origin);
        }
    }
}

fn check_population<'a>(
    run: &mut Run<'_, 'a>,
    population: &'a Value,
    is_list: bool,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let Some(subjects) = member(population, "subjectResults") else { return };
    if !is_list {
        let fault =
            "Only a report of type subject-list refers to its subjects. Change the type or remove subjectResults.";
        return run.error(IssueCode::BusinessRule, RULE, fault.to_owned(), place.path, origin);
    }
    let counted = member(population, "count").and_then(Value::as_u64);
    let found = number_of_subjects(run, subjects, place);
    if let (Some(counted), Some(found)) = (counted, found)
        && counted != found
    {
        let fault = format!("The population counts {counted} subjects and refers to {found}.");
        run.error(IssueCode::BusinessRule, RULE, fault, place.path, origin);
    }
}

/// The entries of the List that is referred to, where it is in the input; one where the reference leads to no List.
fn number_of_subjects<'a>(run: &Run<'_, 'a>, reference: &'a Value, place: Place<'_, 'a>) -> Option<u64> {
    if let Some(found) = text(reference, "reference").and_then(|text| reference::resolve(run, text, place)) {
        return has(found, "entry").then(|| u64::try_from(list(found, "entry").len()).unwrap_or(u64::MAX));
    }
    let type_ = reference::type_by_reference(run, reference, place)?;
    (type_ != "List").then_some(1)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    member(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
