//! Which edition a release is: the module on which no other depends, and its day (module dependency reference set). Where a
//! release does not say, the module of most concepts, and the day of the newest one.

use std::collections::HashMap;

use super::build::Dependency;
use super::edition::{Edition, EditionVersion};

pub(super) fn of(dependencies: &[Dependency], edition: &Edition) -> EditionVersion {
    let is_needed = |module: u64| dependencies.iter().any(|dependency| dependency.needs == module);
    let roots = dependencies.iter().filter(|dependency| !is_needed(dependency.module));
    // An edition needs more modules than a package that lies beside it.
    let mut needs: HashMap<u64, (usize, u32)> = HashMap::new();
    for root in roots {
        let known = needs.entry(root.module).or_default();
        *known = (known.0 + 1, known.1.max(root.date));
    }
    let largest = needs.iter().max_by_key(|(module, (count, _))| (*count, **module));
    if let Some((module, (_, date))) = largest {
        return EditionVersion { module: *module, date: *date };
    }
    let mut counts = vec![0_usize; edition.module_ids.len()];
    for module in &edition.modules {
        if let Some(count) = counts.get_mut(usize::from(*module)) {
            *count += 1;
        }
    }
    let most = counts.iter().zip(&edition.module_ids).max_by_key(|(count, _)| **count);
    EditionVersion {
        module: most.map_or(0, |(_, module)| *module),
        date: edition.times.iter().copied().max().unwrap_or_default(),
    }
}
