//! Builds the [`Server`] from settings: definitions, engines, store. Called by `kith serve`, `kith load` and the tests.

use std::sync::Arc;

use crate::access::seal::Seal;
use crate::clock::Clock;
use crate::config::Settings;
use crate::fhir::definitions::Definitions;
use crate::interactions::server::Server;
use crate::operations;
use crate::problem::Problem;
use crate::search::extract::Extractor;
use crate::search::parameters::Registry;
use crate::store::{Store, StoreSettings};

/// Opens the database (migrating it where needed) and makes the engines ready.
pub async fn build(settings: Settings) -> Result<Arc<Server>, Problem> {
    let clock = Arc::new(Clock::System);
    let definitions = definitions(&settings)?;
    let store = Store::open(&StoreSettings::from(&settings), Arc::clone(&clock)).await?;
    let base = settings.base();
    let parameters = Arc::new(Registry::new(Arc::clone(&definitions)));
    Ok(Arc::new(Server {
        started: clock.now(),
        extractor: Extractor::new(Arc::clone(&parameters), &base),
        parameters,
        seal: Seal::new(store.secret())?,
        definitions,
        store,
        clock,
        base,
        settings,
        operations: operations::ALL,
    }))
}

fn definitions(settings: &Settings) -> Result<Arc<Definitions>, Problem> {
    let embedded = Definitions::embedded();
    if settings.packages.is_empty() {
        return Ok(embedded);
    }
    let mut packages = Vec::new();
    for path in &settings.packages {
        packages.push(crate::package::load(path)?);
    }
    Ok(Arc::new(embedded.with_packages(packages)?))
}
