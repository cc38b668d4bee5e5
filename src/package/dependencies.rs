//! Which packages a package needs, and where they are: embedded, installed, or among files at hand. `kith package add` and
//! `check` ask.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::fhir::definitions::Definitions;
use crate::fhir::definitions::package::{Manifest, Package};
use crate::problem::{Kind, Problem};

/// A package that lies in a file or folder.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where.
    pub path: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Packages with all that they need.
#[derive(Debug, Default)]
pub struct Resolved {
    /// What must be added, what is needed by others first.
    pub packages: Vec<Package>,
    /// Where another version stands in for the one that is asked for.
    pub notes: Vec<String>,
    /// What is nowhere, as `name#version`, with the package that needs it.
    pub missing: Vec<String>,
}

/// The packages in these places: each is a package, or a folder with packages in it.
pub fn candidates(places: &[PathBuf]) -> Result<Vec<Candidate>, Problem> {
    let mut found = Vec::new();
    for place in places {
        let mut paths = vec![place.clone()];
        if place.is_dir() && super::manifest(place)?.is_none() {
            let unreadable = |cause: std::io::Error| {
                Problem::new(Kind::Invalid, format!("{} cannot be read: {cause}.", place.display())).because(cause)
            };
            paths.clear();
            for entry in std::fs::read_dir(place).map_err(unreadable)? {
                paths.push(entry.map_err(unreadable)?.path());
            }
            paths.sort();
        }
        for path in paths.into_iter().filter(|path| path.is_dir() || has_extension(path, "tgz")) {
            let manifest = super::manifest(&path)?.filter(|manifest| !manifest.name.is_empty());
            found.extend(manifest.map(|manifest| Candidate { path, manifest }));
        }
    }
    Ok(found)
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// Finds what `given` need, and what that needs: embedded and installed packages count as they are, candidates are read. An
/// exact version goes before another one, which stands in with a note.
pub fn resolve(given: Vec<Package>, candidates: &[Candidate], installed: &[Manifest]) -> Result<Resolved, Problem> {
    let mut present: Vec<Manifest> = installed.to_vec();
    present.extend(given.iter().map(|package| package.manifest.clone()));
    let mut open: Vec<(Manifest, (String, String))> = given.iter().flat_map(needs).collect();
    let mut resolved = Resolved { packages: given, ..Resolved::default() };
    let mut asked = HashSet::new();
    while let Some((by, (name, version))) = open.pop() {
        if is_embedded(&name) || !asked.insert((name.clone(), version.clone())) {
            continue;
        }
        let of_name = |manifest: &&Manifest| manifest.name == name;
        let fits = |manifest: &Manifest| matches(&version, &manifest.version);
        if present.iter().filter(of_name).any(fits) {
            continue;
        }
        let exact = candidates.iter().find(|at| at.manifest.name == name && fits(&at.manifest));
        let other = || present.iter().find(of_name);
        let found = match (exact, other()) {
            (Some(exact), _) => Some(exact),
            (None, Some(_)) => None,
            (None, None) => candidates.iter().find(|at| at.manifest.name == name),
        };
        if let Some(found) = found {
            let package = super::load(&found.path)?;
            present.push(package.manifest.clone());
            open.extend(needs(&package));
            resolved.packages.insert(0, package);
        }
        let wanted = format!("{name}#{version} (needed by {}#{})", by.name, by.version);
        match present.iter().find(of_name) {
            Some(have) if !fits(have) => resolved.notes.push(format!("{wanted}: version {} stands in.", have.version)),
            Some(_) => {}
            None => resolved.missing.push(wanted),
        }
    }
    resolved.missing.sort();
    Ok(resolved)
}

fn needs(package: &Package) -> Vec<(Manifest, (String, String))> {
    let of = &package.manifest;
    of.dependencies.iter().map(|dependency| (of.clone(), dependency.clone())).collect()
}

/// True for what every server has: FHIR R4 in all its packages, UK Core, our own definitions.
fn is_embedded(name: &str) -> bool {
    name.starts_with("hl7.fhir.r4.")
        || name.starts_with("fhir.r4.ukcore.")
        || Definitions::embedded_packages().iter().any(|manifest| manifest.name == name)
}

/// Whether a version is the one that is asked for; `1.2.x` takes any patch, `latest` and `current` take any version.
fn matches(wanted: &str, version: &str) -> bool {
    match wanted.strip_suffix(".x") {
        Some(stem) => version.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
        None => wanted == version || matches!(wanted, "" | "*" | "x" | "latest" | "current" | "dev"),
    }
}
