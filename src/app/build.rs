//! Builds the [`Server`] from settings: definitions, engines, store. Called by `kith serve`, `kith load` and the tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::access::issuer;
use crate::access::seal::Seal;
use crate::access::state::State;
use crate::access::visibility::minimum::Minimum;
use crate::clock::Clock;
use crate::config::{RuleLevel, Settings};
use crate::fhir::definitions::Definitions;
use crate::interactions::live::{self, Live};
use crate::interactions::server::Server;
use crate::operations;
use crate::problem::{Kind, Problem};
use crate::referral;
use crate::search::extract::Extractor;
use crate::search::parameters::Registry;
use crate::store::{Store, StoreSettings};
use crate::telemetry::Traces;
use crate::validate::levels::Levels;
use crate::validate::{self, ConditionalProfile, Validator};

/// Opens the database (migrating it where needed) and makes the engines ready.
pub async fn build(settings: Settings) -> Result<Arc<Server>, Problem> {
    let clock = Arc::new(Clock::System);
    let definitions = definitions(&settings.packages)?;
    let store = Store::open(&StoreSettings::from(&settings), Arc::clone(&clock)).await?;
    let base = settings.base();
    let validator = Arc::new(Validator::new(Arc::clone(&definitions), validation(&settings.validation_rules))?);
    let parameters = Registry::new(Arc::clone(&definitions)).asking(Arc::clone(validator.terminology()));
    let parameters = Arc::new(parameters);
    let issuers = match &settings.access_issuers {
        Some(path) => {
            issuer::read(path).map_err(|reason| Problem::new(Kind::Invalid, format!("access.issuers: {reason}")))?
        }
        None => Vec::new(),
    };
    let traces = settings.traces_url.as_deref().map(Traces::start).transpose()?.map(Arc::new);
    let live = Arc::new(Live::default());
    let server = Arc::new(Server {
        started: clock.now(),
        validator,
        extractor: Extractor::new(Arc::clone(&parameters), &base),
        standard: Arc::clone(&parameters),
        parameters,
        access: Arc::new(State::with_issuers(issuers)),
        throttle: Arc::default(),
        traces,
        definitions_count: 0,
        conformance_count: 0,
        stored_definitions: 0,
        live: Arc::downgrade(&live),
        owned: Some(live),
        seal: Seal::new(store.secret())?,
        definitions,
        store,
        clock,
        base,
        settings,
        operations: operations::ALL,
    });
    live::refresh(&server).await?;
    server.latest().validator.check_levels()?;
    check_issuers(&server)?;
    Ok(server)
}

/// What an issuer may give must be something that this server can keep apart.
fn check_issuers(server: &Server) -> Result<(), Problem> {
    let (parameters, all) = (server.latest_parameters(), Minimum::default());
    let means = server.means(&parameters, &all);
    let reasons: Vec<String> =
        server.access.issuers().iter().flat_map(|issuer| issuer.scopes().unusable(&means)).collect();
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Problem::new(Kind::Invalid, format!("access.issuers: {}", reasons.join("\n"))))
}

/// The embedded definitions with those of further packages (`.tgz` files or folders).
pub fn definitions(packages: &[PathBuf]) -> Result<Arc<Definitions>, Problem> {
    let embedded = Definitions::embedded();
    if packages.is_empty() {
        return Ok(embedded);
    }
    let packages: Result<Vec<_>, Problem> = packages.iter().map(|path| crate::package::load(path)).collect();
    Ok(Arc::new(embedded.with_packages(packages?)?))
}

/// How resources are validated: Kith's own profiles apply to referrals, declared or not; rules have these levels.
#[must_use]
pub fn validation(levels: &BTreeMap<String, RuleLevel>) -> validate::Settings {
    let mut settings = validate::Settings { levels: Levels::new(levels.clone()), ..validate::Settings::default() };
    settings.conditional_profiles.extend(referral::applies::PROFILES.iter().map(
        |(resource_type, condition, profile)| ConditionalProfile {
            resource_type: (*resource_type).to_owned(),
            condition: (*condition).to_owned(),
            profile: (*profile).to_owned(),
        },
    ));
    settings
}
