//! The files of a release where they lie: in a folder, a .zip or a .tgz. Nothing is unpacked to disk; of a .tgz, which can only be
//! read from its beginning, each kind of file takes a pass.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use zip::ZipArchive;

use super::mistake;
use crate::problem::Problem;
use crate::terminology::snomed::FileKind;

/// Deepest folders that are looked into.
const DEEPEST: usize = 16;

/// What is done with a file: its name and its content.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&Path, &mut dyn BufRead) -> Result<(), Problem>;

/// The same with the size of the file.
type VisitSized<'v> = &'v mut dyn FnMut(&Path, &mut dyn BufRead, u64) -> Result<(), Problem>;

/// A release on disk.
#[derive(Debug)]
pub(super) struct Release {
    path: PathBuf,
    form: Form,
    /// The files that are read, in the order of their names, with their sizes.
    files: Vec<(FileKind, PathBuf, u64)>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Folder,
    Zip,
    Tar,
}

impl Release {
    /// Finds the files of a release.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let is = |path: &Path, wanted: &str| {
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
        };
        let is_tar = || path.file_stem().is_some_and(|stem| is(Path::new(stem), "tar"));
        let form = if path.is_dir() {
            Form::Folder
        } else if is(path, "zip") {
            Form::Zip
        } else if is(path, "tgz") || is(path, "gz") && is_tar() {
            Form::Tar
        } else {
            return Err(mistake(format!("{} is no folder, .zip or .tgz.", path.display())));
        };
        let mut release = Self { path: path.to_owned(), form, files: Vec::new() };
        match form {
            Form::Folder => release.find(path, 0)?,
            Form::Zip => {
                let mut archive = release.zip()?;
                for at in 0..archive.len() {
                    let entry = archive.by_index_raw(at).map_err(|error| unreadable(path, error))?;
                    let name = entry.name().map_err(|error| unreadable(path, error))?;
                    release.add(Path::new(&*name), entry.size());
                }
            }
            Form::Tar => {
                let mut found = Vec::new();
                release.tar(&mut |name, _, size| {
                    found.push((name.to_owned(), size));
                    Ok(())
                })?;
                for (name, size) in &found {
                    release.add(name, *size);
                }
            }
        }
        release.files.sort();
        Ok(release)
    }

    fn add(&mut self, name: &Path, size: u64) {
        let kind = name.file_name().and_then(|name| FileKind::of(name.to_str()?));
        self.files.extend(kind.map(|kind| (kind, name.to_owned(), size)));
    }

    fn find(&mut self, folder: &Path, depth: usize) -> Result<(), Problem> {
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let entry = entry.map_err(|error| unreadable(folder, error))?;
            let metadata = entry.metadata().map_err(|error| unreadable(folder, error))?;
            if metadata.is_dir() && depth < DEEPEST {
                self.find(&entry.path(), depth + 1)?;
            } else if metadata.is_file() {
                self.add(&entry.path(), metadata.len());
            }
        }
        Ok(())
    }

    /// How many bytes will be read.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, _, size)| size).sum()
    }

    /// Visits every file of a kind.
    pub(super) fn each(&self, kind: FileKind, visit: Visit<'_>) -> Result<(), Problem> {
        let mut files = self.files.iter().filter(|(of, _, _)| *of == kind).map(|(_, name, _)| name).peekable();
        match self.form {
            Form::Folder => files.try_for_each(|name| {
                let file = File::open(name).map_err(|error| unreadable(name, error))?;
                visit(name, &mut BufReader::with_capacity(1 << 16, file))
            }),
            Form::Zip => {
                let mut archive = self.zip()?;
                files.try_for_each(|name| {
                    let entry = archive.by_name(&name.to_string_lossy()).map_err(|error| unreadable(name, error))?;
                    visit(name, &mut BufReader::with_capacity(1 << 16, entry))
                })
            }
            Form::Tar if files.peek().is_none() => Ok(()),
            Form::Tar => self.tar(&mut |name, file, _| {
                let of = name.file_name().and_then(|name| FileKind::of(name.to_str()?));
                if of == Some(kind) { visit(name, file) } else { Ok(()) }
            }),
        }
    }

    fn zip(&self) -> Result<ZipArchive<BufReader<File>>, Problem> {
        let file = File::open(&self.path).map_err(|error| unreadable(&self.path, error))?;
        ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(&self.path, error))
    }

    fn tar(&self, visit: VisitSized<'_>) -> Result<(), Problem> {
        let unreadable = |error: std::io::Error| unreadable(&self.path, error);
        let file = File::open(&self.path).map_err(unreadable)?;
        let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
        for entry in archive.entries().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (name, size) = (entry.path().map_err(unreadable)?.into_owned(), entry.size());
            if entry.header().entry_type().is_file() {
                visit(&name, &mut BufReader::with_capacity(1 << 16, entry), size)?;
            }
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Problem {
    mistake(format!("{} cannot be read: {error}.", path.display()))
}
