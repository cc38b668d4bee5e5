//! The files of a release (SNOMED CT Release File Specifications, Release Format 2): which of them are read, in which order, and what
//! their rows say. The caller reads the files; nothing here does input or output.

use std::path::Path;

use super::build::{Builder, Concept, Dependency, DescriptionRow, RelationshipRow};
use super::identifier;
use super::texts::{ACCEPTABLE, AMERICAN, BRITISH, NHS};

/// A file that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Concepts.
    Concept,
    /// Which modules need which.
    ModuleDependency,
    /// How acceptable descriptions are.
    Language,
    /// Descriptions.
    Description,
    /// Relationships, inferred.
    Relationship,
    /// Simple reference sets.
    Simple,
}

impl FileKind {
    /// Every kind, in the order in which files must be read.
    pub const ALL: [Self; 6] =
        [Self::Concept, Self::ModuleDependency, Self::Language, Self::Description, Self::Relationship, Self::Simple];

    /// The kind of a file by its name, without folders; none where it is not read. Only snapshots are.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let name = name.strip_prefix('x').unwrap_or(name);
        let is_text = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
        if !name.contains("Snapshot") || !is_text {
            return None;
        }
        let begins = [
            ("sct2_Concept_", Self::Concept),
            ("der2_ssRefset_ModuleDependency", Self::ModuleDependency),
            ("der2_cRefset_Language", Self::Language),
            ("sct2_Description_", Self::Description),
            ("sct2_Relationship_", Self::Relationship),
            ("der2_Refset_", Self::Simple),
        ];
        begins.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, kind)| *kind)
    }

    /// What it is called while it is read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Concept => "concepts",
            Self::ModuleDependency => "modules",
            Self::Language => "languages",
            Self::Description => "descriptions",
            Self::Relationship => "relationships",
            Self::Simple => "reference sets",
        }
    }
}

const PREFERRED: &str = "900000000000548007";
const FULLY_SPECIFIED_NAME: &str = "900000000000003001";
const DEFINED: &str = "900000000000073002";
/// Stated relationships are not the hierarchy that is asked about.
const STATED: &str = "900000000000010007";

/// Language reference sets: NHS realm (clinical, pharmacy), British and American English.
const LANGUAGES: [(u64, u8); 4] = [
    (999_001_261_000_000_100, NHS),
    (999_000_691_000_001_104, NHS),
    (900_000_000_000_508_004, BRITISH),
    (900_000_000_000_509_007, AMERICAN),
];

impl Builder {
    /// Takes a row of a file. False where the row is not one of such a file.
    pub fn row(&mut self, kind: FileKind, line: &str) -> bool {
        let fields: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('\t').collect();
        self.fields(kind, &fields).is_some()
    }

    fn fields(&mut self, kind: FileKind, fields: &[&str]) -> Option<()> {
        let (time, active) = (fields.get(1)?.parse().ok()?, *fields.get(2)? == "1");
        let id = || identifier::number(fields.first()?);
        let component = |at: usize| identifier::number(fields.get(at)?);
        match kind {
            FileKind::Concept => {
                let defined = *fields.get(4)? == DEFINED;
                self.add_concept(Concept { id: id()?, time, module: component(3)?, active, defined });
            }
            FileKind::ModuleDependency => {
                let date = fields.get(6)?.parse().ok()?;
                let dependency = Dependency { module: component(3)?, date, needs: component(5)? };
                if active {
                    self.add_dependency(dependency);
                }
            }
            FileKind::Language => {
                let (reference_set, description) = (component(4)?, component(5)?);
                let preferred = *fields.get(6)? == PREFERRED;
                let known = LANGUAGES.iter().find(|(id, _)| *id == reference_set).filter(|_| active);
                if let Some((_, bits)) = known {
                    self.add_acceptability(description, if preferred { *bits } else { ACCEPTABLE });
                }
            }
            FileKind::Description => {
                let full_name = *fields.get(6)? == FULLY_SPECIFIED_NAME;
                let (id, concept, language, text) = (id()?, component(4)?, fields.get(5)?, fields.get(7)?);
                self.add_description(&DescriptionRow { id, time, active, concept, language, full_name, text });
            }
            FileKind::Relationship => {
                let (id, source, target, name) = (id()?, component(4)?, component(5)?, component(7)?);
                let group = fields.get(6)?.parse().ok()?;
                let active = active && *fields.get(8)? != STATED;
                self.add_relationship(&RelationshipRow { id, time, active, source, target, group, name });
            }
            FileKind::Simple => {
                let (reference_set, member) = (component(4)?, component(5)?);
                if active {
                    self.add_member(reference_set, member);
                }
            }
        }
        Some(())
    }

    /// Ends the files of a kind; call it for each kind in order, also where there was no file.
    pub fn end(&mut self, kind: FileKind) {
        match kind {
            FileKind::Concept => self.end_concepts(),
            FileKind::Language => self.end_languages(),
            FileKind::Description => self.end_descriptions(),
            FileKind::Relationship => self.end_relationships(),
            FileKind::ModuleDependency | FileKind::Simple => {}
        }
    }
}
