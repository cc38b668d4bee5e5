//! The interactions that are offered; the CapabilityStatement and its test derive from this list.

/// At which level an interaction works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The whole server.
    System,
    /// One resource type.
    Type,
    /// One resource.
    Instance,
}

/// One interaction (<https://hl7.org/fhir/R4/valueset-restful-interaction.html>).
#[derive(Debug, Clone, Copy)]
pub struct Interaction {
    /// Its FHIR code.
    pub code: &'static str,
    /// Where it works.
    pub level: Level,
    /// False for what the CapabilityStatement has no code for.
    pub listed: bool,
}

const fn entry(code: &'static str, level: Level) -> Interaction {
    Interaction { code, level, listed: true }
}

/// Every interaction of this server.
pub const INTERACTIONS: &[Interaction] = &[
    Interaction { code: "capabilities", level: Level::System, listed: false },
    entry("transaction", Level::System),
    entry("batch", Level::System),
    entry("create", Level::Type),
    entry("search-type", Level::Type),
    entry("read", Level::Instance),
    entry("vread", Level::Instance),
    entry("update", Level::Instance),
    entry("delete", Level::Instance),
    entry("history-instance", Level::Instance),
];
