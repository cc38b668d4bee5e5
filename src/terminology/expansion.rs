//! The codes that an expansion came to: chosen by a text, and shown as ValueSet.expansion.contains
//! (<https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion.contains>). Made by `expand`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use super::Edition;

/// One code of an expansion.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The code system.
    pub system: Arc<str>,
    /// The code.
    pub code: String,
    /// Its text.
    pub display: Option<String>,
    /// Further texts.
    pub designations: Vec<Value>,
    /// Not in use any more.
    pub inactive: bool,
    /// Not meant to be chosen.
    pub is_abstract: bool,
    /// The code that it stands below.
    pub(super) parent: Option<String>,
    /// Where it is a concept of SNOMED CT, it brings its descriptions when it is shown.
    pub(super) concept: Option<(Arc<Edition>, u32)>,
}

/// The codes of a value set.
#[derive(Debug, Clone, Default)]
pub struct Expansion {
    /// In the order of the definition, each once.
    pub entries: Vec<Entry>,
    /// The code systems in the versions that were used, as `url|version`.
    pub versions: BTreeSet<String>,
}

impl Expansion {
    /// Keeps the codes whose texts have every word of a filter, in any case, or whose code begins with it.
    pub(super) fn keep_matching(&mut self, filter: &str) {
        let filter = filter.trim().to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        self.entries.retain(|entry| {
            let mut texts: Vec<String> = entry.display.iter().map(|text| text.to_lowercase()).collect();
            let values = entry.designations.iter().filter_map(|designation| designation.get("value")?.as_str());
            texts.extend(values.map(str::to_lowercase));
            entry.code.to_lowercase().starts_with(&filter)
                || texts.iter().any(|text| words.iter().all(|word| text.contains(word)))
                || entry.concept.as_ref().is_some_and(|(edition, at)| edition.has_words(*at, &words))
        });
    }

    /// The codes as ValueSet.expansion.contains, those below others within them where `nested`.
    #[must_use]
    pub fn contains(&self, range: std::ops::Range<usize>, how: Shown<'_>) -> Vec<Value> {
        let entries = self.entries.get(range).unwrap_or_default();
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
        let mut roots = Vec::new();
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let parent = entry.parent.as_deref().filter(|_| how.nested);
            match parent.and_then(|parent| known.get(&(&*entry.system, parent))) {
                // A parent stands before what is below it, so this ends.
                Some(parent) => below.get_mut(*parent).map_or((), |list| list.push(at)),
                None => roots.push(at),
            }
            known.insert((&entry.system, &entry.code), at);
        }
        let tree = Tree { entries, below: &below, how };
        roots.into_iter().filter_map(|at| tree.show(at)).collect()
    }
}

/// How an expansion is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Codes below others stand within them.
    pub nested: bool,
    /// With all texts of each code.
    pub designations: bool,
    /// The language of the text that is shown, where there is one in it.
    pub language: Option<&'a str>,
}

struct Tree<'e> {
    entries: &'e [Entry],
    below: &'e [Vec<usize>],
    how: Shown<'e>,
}

impl Tree<'_> {
    fn show(&self, at: usize) -> Option<Value> {
        let entry = self.entries.get(at)?;
        let mut shown = json!({ "system": &*entry.system });
        if entry.is_abstract {
            shown["abstract"] = json!(true);
        }
        if entry.inactive {
            shown["inactive"] = json!(true);
        }
        shown["code"] = json!(entry.code);
        if let Some(display) = entry.display_in(self.how.language) {
            shown["display"] = json!(display);
        }
        if self.how.designations {
            let own = entry.concept.as_ref().map(|(edition, at)| edition.designations(*at, None));
            let all: Vec<Value> = entry.designations.iter().cloned().chain(own.into_iter().flatten()).collect();
            if !all.is_empty() {
                shown["designation"] = Value::Array(all);
            }
        }
        let below: Vec<Value> = self.below.get(at)?.iter().filter_map(|at| self.show(*at)).collect();
        if !below.is_empty() {
            shown["contains"] = Value::Array(below);
        }
        Some(shown)
    }
}

impl Entry {
    /// The text of the code, in a language where one is asked for and there is one.
    fn display_in(&self, language: Option<&str>) -> Option<&str> {
        let asked = language.and_then(|language| {
            let of_snomed = self.concept.as_ref().and_then(|(edition, at)| edition.display(*at, Some(language)));
            designated(&self.designations, language).or(of_snomed)
        });
        asked.or(self.display.as_deref())
    }
}

/// The designation in a language (`en` where there is none in `en-GB`).
fn designated<'d>(designations: &'d [Value], language: &str) -> Option<&'d str> {
    let is_in = |designation: &&Value, language: &str| {
        designation.get("language").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(language))
    };
    let plain = language.split('-').next().unwrap_or_default();
    let found =
        [language, plain].iter().find_map(|language| designations.iter().find(|stated| is_in(stated, language)));
    found?.get("value")?.as_str()
}
