//! What became of the cases, as text for people and as JUnit XML for build servers.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::suite::{CaseReport, Verdict};

/// Longest failure text that is shown for one line of a case, in characters.
const LONGEST: usize = 2000;

/// How many cases passed, failed and were not claimed.
#[must_use]
pub fn counts(reports: &[CaseReport]) -> (usize, usize, usize) {
    let count = |wanted: fn(&Verdict) -> bool| reports.iter().filter(|report| wanted(&report.verdict)).count();
    (
        count(|verdict| matches!(verdict, Verdict::Passed)),
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
        count(|verdict| matches!(verdict, Verdict::NotClaimed(_))),
    )
}

/// The cases section by section, and their sum.
#[must_use]
pub fn text(reports: &[CaseReport]) -> String {
    let mut out = String::new();
    let mut section = "";
    for report in reports {
        if report.section != section {
            section = &report.section;
            let _ = writeln!(out, "{section}");
        }
        match &report.verdict {
            Verdict::Passed => {
                let _ = writeln!(out, "  passed       {}", report.id);
            }
            Verdict::NotClaimed(missing) => {
                let _ = writeln!(out, "  not claimed  {} ({})", report.id, missing.join(", "));
            }
            Verdict::Failed(failures) => {
                let _ = writeln!(out, "  FAILED       {}: {}\n    {}", report.id, report.title, report.link);
                for failure in failures {
                    let _ = writeln!(out, "    {}", shortened(failure).replace('\n', "\n      "));
                }
            }
        }
    }
    let (passed, failed, unclaimed) = counts(reports);
    let _ = writeln!(out, "{passed} passed, {failed} failed, {unclaimed} not claimed by the server.");
    out
}

/// The cases as JUnit XML; what is not claimed counts as skipped.
#[must_use]
pub fn junit(reports: &[CaseReport]) -> String {
    let (_, failed, skipped) = counts(reports);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"FHIR R4\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">",
        reports.len()
    );
    for section in reports.chunk_by(|one, other| one.section == other.section) {
        let (_, failed, skipped) = counts(section);
        let name = section.first().map_or("", |report| report.section.as_str());
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">",
            escape(name),
            section.len()
        );
        for report in section {
            test_case(&mut out, report);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn test_case(out: &mut String, report: &CaseReport) {
    let seconds = format!("{}.{:06}", report.duration / 1_000_000, report.duration % 1_000_000);
    let (name, class) = (escape(&report.id), escape(&report.section));
    let _ = write!(out, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{seconds}\"");
    let (element, message, content) = match &report.verdict {
        Verdict::Passed => {
            out.push_str("/>\n");
            return;
        }
        Verdict::NotClaimed(missing) => ("skipped", format!("not claimed: {}", missing.join(", ")), String::new()),
        Verdict::Failed(failures) => {
            let lines: Vec<String> = failures.iter().map(|failure| shortened(failure)).collect();
            ("failure", report.title.clone(), format!("{}\n{}", report.link, lines.join("\n")))
        }
    };
    let content: String = content.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect();
    let _ = writeln!(
        out,
        ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
        escape(&message),
        escape(&content)
    );
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
