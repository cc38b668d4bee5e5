//! Where the definition of an element can be read: the page of the specification for what R4 defines, the canonical url for
//! what others do. For the links of issues.

/// Canonicals of R4's own definitions begin so.
const HL7: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Where R4 is published.
const R4: &str = "https://hl7.org/fhir/R4/";

/// Datatypes of which a page describes several.
const METADATA_TYPES: [&str; 8] = [
    "ContactDetail",
    "Contributor",
    "DataRequirement",
    "Expression",
    "ParameterDefinition",
    "RelatedArtifact",
    "TriggerDefinition",
    "UsageContext",
];

/// The others of them.
const DATATYPES: [&str; 22] = [
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactPoint",
    "Count",
    "Distance",
    "Duration",
    "HumanName",
    "Identifier",
    "Money",
    "MoneyQuantity",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "SampledData",
    "Signature",
    "SimpleQuantity",
    "Timing",
];

/// The page about an element definition of a profile, extension or base type, which are named by canonical url and element id.
#[must_use]
pub fn page(profile: &str, element: Option<&str>) -> String {
    let url = profile.split('|').next().unwrap_or(profile);
    let Some(name) = url.strip_prefix(HL7) else { return url.to_owned() };
    let element = element.unwrap_or(name);
    if element == name || element.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')) {
        return of_type(name, element);
    }
    let kind = if element.starts_with("Extension") { "extension-" } else { "" };
    format!("{R4}{kind}{}.html", name.to_ascii_lowercase())
}

/// The element's place on the page of its type.
fn of_type(name: &str, element: &str) -> String {
    if name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return format!("{R4}datatypes.html#{name}");
    }
    let lower;
    let page = match name {
        "Meta" => "resource",
        "Extension" => "extensibility",
        "Reference" => "references",
        _ if METADATA_TYPES.contains(&name) => "metadatatypes",
        _ if DATATYPES.contains(&name) => "datatypes",
        _ => {
            lower = name.to_ascii_lowercase();
            &lower
        }
    };
    format!("{R4}{page}-definitions.html#{}", element.replace("[x]", "_x_"))
}
