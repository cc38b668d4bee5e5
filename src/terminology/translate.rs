//! Translations by a ConceptMap (<https://hl7.org/fhir/R4/conceptmap-operation-translate.html>), forwards and backwards. Called by
//! the operation `$translate`.

use serde_json::{Value, json};

/// What is to be translated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// The code system of the code; a map without source systems may do without.
    pub system: Option<&'a str>,
    /// The code.
    pub code: &'a str,
    /// Only translations into this code system.
    pub target_system: Option<&'a str>,
    /// From the targets of the map to its sources.
    pub reverse: bool,
}

/// A translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// How the translation relates to the code (<https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html>).
    pub equivalence: String,
    /// The translation; none where the map says that there is none.
    pub concept: Option<Value>,
    /// Further results, as ConceptMap.group.element.target.product.
    pub products: Vec<Value>,
    /// Canonical url of the map.
    pub source: String,
}

impl Translation {
    /// True where it is a translation, and not the word that there is none.
    #[must_use]
    pub fn is_match(&self) -> bool {
        self.concept.is_some() && !matches!(self.equivalence.as_str(), "unmatched" | "disjoint")
    }
}

/// What a map says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Translated {
    /// The translations in the order of the map.
    pub translations: Vec<Translation>,
    /// The map has translations that hold only where something else is known (dependsOn), and it is not.
    pub depends: bool,
    /// Maps that are to be asked for codes which this one does not have.
    pub others: Vec<String>,
}

/// Translates a code. `given` are the dependencies that the caller knows: property with system and value.
#[must_use]
pub fn translate(map: &Value, question: &Question<'_>, given: &[Dependency]) -> Translated {
    let mut answer = Translated::default();
    for group in items(map, "group") {
        let (from, into) = if question.reverse { ("target", "source") } else { ("source", "target") };
        let fits = |name: &str, wanted: Option<&str>| match (text(group, name), wanted) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => true,
        };
        if !fits(from, question.system) || !fits(into, question.target_system) {
            continue;
        }
        let source = text(map, "url").unwrap_or_default();
        let group = Group { content: group, source, given };
        if question.reverse { group.backwards(question, &mut answer) } else { group.forwards(question, &mut answer) }
    }
    answer
}

/// Something that is known beside the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The element or property.
    pub element: String,
    /// Its code system; any where there is none.
    pub system: Option<String>,
    /// Its code or text.
    pub value: String,
}

struct Group<'m> {
    content: &'m Value,
    source: &'m str,
    given: &'m [Dependency],
}

impl Group<'_> {
    fn forwards(&self, question: &Question<'_>, answer: &mut Translated) {
        let mut known = false;
        for element in
            items(self.content, "element").iter().filter(|element| text(element, "code") == Some(question.code))
        {
            known = true;
            for target in items(element, "target") {
                if self.holds(target) {
                    let equivalence = text(target, "equivalence").unwrap_or("equivalent");
                    answer.translations.push(self.translation(target, "target", equivalence));
                } else {
                    answer.depends = true;
                }
            }
        }
        if !known {
            self.unmapped(question, answer);
        }
    }

    fn backwards(&self, question: &Question<'_>, answer: &mut Translated) {
        for element in items(self.content, "element") {
            for target in items(element, "target").iter().filter(|target| text(target, "code") == Some(question.code)) {
                if self.holds(target) {
                    let equivalence = reversed(text(target, "equivalence").unwrap_or("equivalent"));
                    let translation = self.translation(element, "source", equivalence);
                    answer.translations.push(Translation { products: Vec::new(), ..translation });
                } else {
                    answer.depends = true;
                }
            }
        }
    }

    /// What is done with a code that the group does not have.
    fn unmapped(&self, question: &Question<'_>, answer: &mut Translated) {
        let Some(rule) = self.content.get("unmapped") else { return };
        match text(rule, "mode") {
            Some("provided") => {
                let same = json!({ "code": question.code });
                answer.translations.push(self.translation(&same, "target", "equal"));
            }
            Some("fixed") => answer.translations.push(self.translation(rule, "target", "relatedto")),
            Some("other-map") => answer.others.extend(text(rule, "url").map(str::to_owned)),
            _ => {}
        }
    }

    fn translation(&self, side: &Value, system: &str, equivalence: &str) -> Translation {
        let concept = text(side, "code").map(|code| {
            let mut coding = json!({});
            if let Some(system) = text(self.content, system) {
                coding["system"] = json!(system);
            }
            if let Some(version) = text(self.content, &format!("{system}Version")) {
                coding["version"] = json!(version);
            }
            coding["code"] = json!(code);
            if let Some(display) = text(side, "display") {
                coding["display"] = json!(display);
            }
            coding
        });
        let products = items(side, "product").to_vec();
        Translation { equivalence: equivalence.to_owned(), concept, products, source: self.source.to_owned() }
    }

    /// Whether all that a target depends on is given.
    fn holds(&self, target: &Value) -> bool {
        items(target, "dependsOn").iter().all(|needed| {
            self.given.iter().any(|given| {
                let system = text(needed, "system");
                text(needed, "property") == Some(&given.element)
                    && text(needed, "value") == Some(&given.value)
                    && (system.is_none() || given.system.is_none() || system == given.system.as_deref())
            })
        })
    }
}

/// The same relation seen from the other side.
fn reversed(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        other => other,
    }
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}
