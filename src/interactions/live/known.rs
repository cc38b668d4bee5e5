//! What this process has read of stored definitions and installed packages. Only what is new or has another version is read
//! again; everything else stays as it was parsed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::super::server::Server;
use super::{EXTENDING, SEARCH_PARAMETER};
use crate::fhir::codec::json;
use crate::fhir::definitions::{Definitions, Part};
use crate::package;
use crate::problem::Problem;
use crate::search::parameters::admission;
use crate::store::{Installed, Stored};

/// From so many changed resources of a type on all are read by one statement.
const MANY: usize = 20;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// FHIR's own definitions with those of the packages given at start; set by the first reading.
    given: Option<Arc<Definitions>>,
    packages: Vec<(Installed, Part)>,
    stored: Vec<Definition>,
}

/// A stored resource that defines something.
#[derive(Debug)]
struct Definition {
    resource_type: &'static str,
    id: String,
    version: i64,
    part: Part,
    /// Canonical url of a search parameter that is a draft.
    draft: Option<String>,
}

impl Known {
    /// Reads what has changed; packages only where they may have.
    pub(super) async fn read(&mut self, server: &Server, packages_too: bool) -> Result<(), Problem> {
        if self.given.is_none() {
            self.given = Some(Arc::clone(&server.definitions));
        }
        if packages_too {
            self.read_packages(server).await?;
        }
        for resource_type in EXTENDING.into_iter().chain([SEARCH_PARAMETER]) {
            self.read_type(server, resource_type).await?;
        }
        Ok(())
    }

    async fn read_packages(&mut self, server: &Server) -> Result<(), Problem> {
        let installed = server.store.packages().await?;
        self.packages.retain(|(package, _)| installed.contains(package));
        for package in installed {
            if self.packages.iter().any(|(known, _)| *known == package) {
                continue;
            }
            // A package that is removed just now is gone from the next reading.
            if let Some(content) = server.store.package_content(&package.name, &package.version).await? {
                let part = package::installed::part(&package.name, &content)?;
                self.packages.push((package, part));
            }
        }
        Ok(())
    }

    async fn read_type(&mut self, server: &Server, resource_type: &'static str) -> Result<(), Problem> {
        let heads = server.store.heads(resource_type).await?;
        let current: HashMap<&str, i64> = heads.iter().map(|(id, version)| (id.as_str(), *version)).collect();
        let is_current = |known: &Definition| current.get(known.id.as_str()) == Some(&known.version);
        self.stored.retain(|known| known.resource_type != resource_type || is_current(known));
        let of_type = self.stored.iter().filter(|known| known.resource_type == resource_type);
        let read: HashSet<&str> = of_type.map(|known| known.id.as_str()).collect();
        let wanted: Vec<&str> = heads.iter().map(|(id, _)| id.as_str()).filter(|id| !read.contains(id)).collect();
        let mut found = Vec::new();
        if wanted.len() > MANY {
            let all = server.store.current(resource_type, i64::MAX).await?;
            let mut by_id: HashMap<String, Stored> =
                all.into_iter().map(|stored| (stored.id.clone(), stored)).collect();
            found.extend(wanted.iter().filter_map(|id| by_id.remove(*id)));
        } else {
            for id in wanted {
                found.extend(server.store.read(resource_type, id).await?.filter(|stored| !stored.deleted));
            }
        }
        for stored in found {
            self.stored.push(definition(resource_type, &stored)?);
        }
        Ok(())
    }

    /// FHIR's own definitions with those of all packages.
    pub(super) fn standard(&self) -> Arc<Definitions> {
        let given = self.given.clone().unwrap_or_else(Definitions::embedded);
        if self.packages.is_empty() {
            return given;
        }
        Arc::new(given.with_parts(self.packages.iter().map(|(_, part)| part)))
    }

    /// The stored definitions.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.stored.iter().map(|known| &known.part)
    }

    /// How many are stored.
    pub(super) const fn count(&self) -> usize {
        self.stored.len()
    }

    /// Canonical urls of the search parameters that are drafts.
    pub(super) fn drafts(&self) -> HashSet<String> {
        self.stored.iter().filter_map(|known| known.draft.clone()).collect()
    }
}

fn definition(resource_type: &'static str, stored: &Stored) -> Result<Definition, Problem> {
    let value = json::parse_stored(&stored.body)?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_parameter = resource_type == SEARCH_PARAMETER;
    let is_used = !is_parameter || admission::is_used(&value);
    Ok(Definition {
        resource_type,
        id: stored.id.clone(),
        version: stored.version,
        draft: (is_parameter && text("status") == "draft").then(|| text("url").to_owned()),
        part: if is_used { Part::of_resource(&value) } else { Part::default() },
    })
}
