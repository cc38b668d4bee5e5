//! What each interaction is called in an AuditEvent: its action, type and subtype. Reading goes from the audit row to the codes,
//! searching from the codes to the rows, by one table.

use crate::store::audit::find::{Field, Test};

/// System of `type` and `subtype` of what is not REST (<https://hl7.org/fhir/R4/valueset-audit-event-type.html>).
pub const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// System of the type `rest`.
pub const EVENT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
/// System of the subtypes of `rest`.
pub const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
/// System of subtypes that nobody else defines: names of operations and of the server's own work.
pub const OWN: &str = "https://kith.example/fhir/CodeSystem/kith-audit-subtype";

/// A code with its system and display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "as FHIR's Coding names them")]
pub struct Code {
    /// System.
    pub system: &'static str,
    /// Code.
    pub code: &'static str,
    /// Display.
    pub display: &'static str,
}

const fn code(system: &'static str, code: &'static str, display: &'static str) -> Code {
    Code { system, code, display }
}

const REST: Code = code(EVENT_TYPE, "rest", "RESTful Operation");
const AUTHENTICATION: Code = code(DICOM, "110114", "User Authentication");
const ACTIVITY: Code = code(DICOM, "110100", "Application Activity");

/// What an interaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The interaction as the audit row says it.
    interaction: &'static str,
    /// C, R, U, D or E (<https://hl7.org/fhir/R4/valueset-audit-event-action.html>).
    pub action: &'static str,
    /// The type.
    pub event: Code,
    /// The subtype.
    pub subtype: Code,
}

const fn rest(interaction: &'static str, action: &'static str, display: &'static str) -> Kind {
    Kind { interaction, action, event: REST, subtype: code(INTERACTION, interaction, display) }
}

const fn kind(interaction: &'static str, action: &'static str, event: Code, subtype: Code) -> Kind {
    Kind { interaction, action, event, subtype }
}

/// Every interaction that has a kind of its own. The names of operations follow `operation `.
const KINDS: &[Kind] = &[
    rest("read", "R", "read"),
    rest("vread", "R", "vread"),
    rest("history-instance", "R", "history-instance"),
    rest("history-type", "R", "history-type"),
    rest("history-system", "R", "history-system"),
    rest("capabilities", "R", "capabilities"),
    rest("create", "C", "create"),
    rest("update", "U", "update"),
    rest("patch", "U", "patch"),
    rest("delete", "D", "delete"),
    rest("search-type", "E", "search-type"),
    rest("search-system", "E", "search-system"),
    rest("transaction", "E", "transaction"),
    rest("batch", "E", "batch"),
    OPERATION,
    kind("import", "C", code(DICOM, "110107", "Import"), code(INTERACTION, "create", "create")),
    kind("export", "R", code(DICOM, "110106", "Export"), code(OWN, "export", "Export")),
    kind("login", "E", AUTHENTICATION, code(DICOM, "110122", "Login")),
    kind("revoke", "E", AUTHENTICATION, code(DICOM, "110123", "Logout")),
    kind("introspect", "E", AUTHENTICATION, code(OWN, "introspect", "Token introspection")),
];

const OPERATION: Kind = rest("operation", "E", "operation");
/// What could not even be read as an interaction.
const UNREAD: Kind = kind("", "E", REST, code(OWN, "unreadable", "Request that could not be read"));

/// The kind of an audit row's interaction; none for the server's own work.
fn find(interaction: &str) -> Option<Kind> {
    let name = interaction.split(' ').next().unwrap_or_default();
    if name.is_empty() { Some(UNREAD) } else { KINDS.iter().find(|kind| kind.interaction == name).copied() }
}

/// The action of an interaction.
#[must_use]
pub fn action(interaction: &str) -> &'static str {
    find(interaction).map_or("E", |kind| kind.action)
}

/// The type of an interaction.
#[must_use]
pub fn event(interaction: &str) -> Code {
    find(interaction).map_or(ACTIVITY, |kind| kind.event)
}

/// The subtypes of an interaction: system, code and display.
#[must_use]
pub fn subtypes(interaction: &str) -> Vec<(&'static str, String, String)> {
    let mut subtypes = Vec::new();
    if let Some(kind) = find(interaction) {
        let Code { system, code, display } = kind.subtype;
        subtypes.push((system, code.to_owned(), display.to_owned()));
    }
    let own = match interaction.split_once(' ') {
        Some((_, name)) => Some(name),
        None if subtypes.is_empty() => Some(interaction),
        None => None,
    };
    subtypes.extend(own.map(|name| (OWN, name.to_owned(), name.to_owned())));
    subtypes
}

/// Rows of interactions of this name, operations with theirs.
fn named(interaction: &str) -> Vec<Test> {
    let is = Test::Is(Field::Interaction, interaction.to_owned());
    if interaction == OPERATION.interaction {
        return vec![is, Test::Begins(Field::Interaction, format!("{interaction} "))];
    }
    vec![is]
}

/// Rows whose kind is one of those that `wanted` names; `others` says whether the server's own work is wanted too.
fn rows(wanted: impl Fn(&Kind) -> bool, others: bool) -> Vec<Test> {
    let all = || KINDS.iter().chain(std::iter::once(&UNREAD));
    let tests =
        |chosen: bool| all().filter(|kind| wanted(kind) == chosen).flat_map(|kind| named(kind.interaction)).collect();
    if others { vec![Test::Not(tests(false))] } else { tests(true) }
}

/// Rows with this action.
#[must_use]
pub fn with_action(action: &str) -> Vec<Test> {
    rows(|kind| kind.action == action, action == "E")
}

/// Rows with this type; `system` is none where any will do.
#[must_use]
pub fn with_event(system: Option<&str>, code: &str) -> Vec<Test> {
    let fits = |own: &Code| own.code == code && system.is_none_or(|system| own.system == system);
    rows(|kind| fits(&kind.event), fits(&ACTIVITY))
}

/// Rows with this subtype; `system` is none where any will do.
#[must_use]
pub fn with_subtype(system: Option<&str>, code: &str) -> Vec<Test> {
    let fits = |own: &Code| own.code == code && system.is_none_or(|system| own.system == system);
    let mut tests = rows(|kind| fits(&kind.subtype), false);
    if system.is_none_or(|system| system == OWN) && !code.is_empty() {
        tests.push(Test::Is(Field::Interaction, format!("operation {code}")));
        if find(code).is_none() {
            tests.push(Test::Is(Field::Interaction, code.to_owned()));
        }
    }
    tests
}
