//! Packages as the database holds them: the facts of their definitions, one a line, compressed. Written by `kith package add`,
//! read by the live definitions.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::fhir::definitions::Part;
use crate::fhir::definitions::package::{Manifest, Package};
use crate::problem::{Kind, Problem};

/// The most that the definitions of one package may come to.
const MOST: u64 = 512 << 20;

/// The definitions of a package for the database.
pub fn content(package: &Package) -> Result<Vec<u8>, Problem> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for line in package.lines() {
        encoder.write_all(line.as_bytes()).and_then(|()| encoder.write_all(b"\n")).map_err(Problem::internal)?;
    }
    encoder.finish().map_err(Problem::internal)
}

/// A package from the database. Err: it is damaged or too large.
pub fn package(manifest: Manifest, content: &[u8]) -> Result<Package, Problem> {
    let damaged = |_| {
        let text = format!("The installed package {} is damaged. Remove it and add it again.", manifest.name);
        Problem::new(Kind::Invalid, text)
    };
    let mut text = String::new();
    let read = GzDecoder::new(content).take(MOST + 1).read_to_string(&mut text).map_err(damaged)?;
    if read as u64 > MOST {
        return Err(Problem::new(Kind::TooLarge, format!("The installed package {} is too large.", manifest.name)));
    }
    Ok(Package::of_lines(manifest, text.lines()))
}

/// The definitions of a package from the database, ready to be added to a registry.
pub fn part(name: &str, content: &[u8]) -> Result<Part, Problem> {
    Part::of_package(package(Manifest { name: name.to_owned(), ..Manifest::default() }, content)?)
}
