//! Official R4 expressions that do not say what their text says they mean. Each is read as HL7's reference validator
//! reads it, and only where the whole expression is exactly the published one. Called by [`super::Expression::compile`].

/// As published, and as meant.
const CORRECTIONS: [(&str, &str); 3] = [
    // que-7: the answer is a FHIR boolean; `Boolean` is the System type, which no element ever is.
    ("operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"),
    // que-12: two conditions are more than one.
    (
        "enableWhen.count() > 2 implies enableBehavior.exists()",
        "enableWhen.count() > 1 implies enableBehavior.exists()",
    ),
    // ras-2: without a probability the type test is empty; the invariant is about probabilities that are decimals.
    (
        "probability is decimal implies (probability as decimal) <= 100",
        "probability.empty() or ((probability is decimal) implies ((probability as decimal) <= 100))",
    ),
];

/// The expression to compile for a published one.
pub(super) fn meant(source: &str) -> &str {
    CORRECTIONS.iter().find(|(published, _)| *published == source).map_or(source, |(_, meant)| meant)
}
