//! FHIR packages on disk: reading definitions from folders, Bundle files and package archives, and writing the committed
//! folders of facts. Used by `kith package import` and by `--package`. Nothing is ever unpacked to disk.

pub mod dependencies;
pub mod installed;
mod source;
mod write;

pub use source::{Limits, manifest, read};
pub use write::{Layout, write};

use std::path::Path;

use crate::fhir::definitions::package::Package;
use crate::problem::{Kind, Problem};

/// Loads a package for use at run time: `path` is a FHIR package archive (`.tgz`), a folder or a Bundle file.
pub fn load(path: &Path) -> Result<Package, Problem> {
    let mut package = Package::default();
    package.manifest = read(path, &Limits::default(), &mut |resource| package.add(&resource))?;
    if package.is_empty() {
        let text = format!("{} holds no FHIR definitions.", path.display());
        return Err(Problem::new(Kind::Invalid, text));
    }
    Ok(package)
}
