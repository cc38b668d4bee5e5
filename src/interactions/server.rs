//! All that an interaction needs, made once at start and shared by every request. `app` and the commands build it.

use std::fmt;
use std::sync::{Arc, Weak};

use serde_json::Value;

use super::live::Live;
use super::operation::Operation;
use super::request::Bounds;
use super::throttle::Throttle;
use crate::access::constraint::Means;
use crate::access::seal::Seal;
use crate::access::visibility::minimum::Minimum;
use crate::clock::{Clock, Micros};
use crate::config::{Settings, ValidationMode};
use crate::fhir::definitions::Definitions;
use crate::fhir::issue::Issue;
use crate::problem::{Kind, Problem};
use crate::referral;
use crate::search::extract::Extractor;
use crate::search::parameters::Registry;
use crate::search::query::{Context, Handling};
use crate::store::Store;
use crate::telemetry::Traces;
use crate::validate::{Options, Validator};

/// The engines, the store and the settings.
#[derive(Clone)]
pub struct Server {
    /// Settings of this process.
    pub settings: Settings,
    /// Public base URL without a slash at the end.
    pub base: String,
    /// What FHIR and its profiles say.
    pub definitions: Arc<Definitions>,
    /// The validator.
    pub validator: Arc<Validator>,
    /// Makes index rows.
    pub extractor: Extractor,
    /// The database.
    pub store: Store,
    /// The search parameters of every type.
    pub parameters: Arc<Registry>,
    /// What this process knows of tokens and keys.
    pub access: Arc<crate::access::state::State>,
    /// The search parameters of FHIR and of packages.
    pub standard: Arc<Registry>,
    /// Which state of packages and search parameters these engines know.
    pub definitions_count: i64,
    /// Which state of other stored definitions these engines know.
    pub conformance_count: i64,
    /// How many stored definitions these engines know.
    pub stored_definitions: usize,
    /// The newest engines of this process.
    pub live: Weak<Live>,
    /// The same, where these are the engines of the start.
    pub owned: Option<Arc<Live>>,
    /// Seals paging tokens.
    pub seal: Seal,
    /// When this process started.
    pub started: Micros,
    /// What this process works on, and who has asked how much.
    pub throttle: Arc<Throttle>,
    /// Where spans go, where they go anywhere.
    pub traces: Option<Arc<Traces>>,
    /// Time and ids.
    pub clock: Arc<Clock>,
    /// Operations that are offered.
    pub operations: &'static [&'static dyn Operation],
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Server {
    /// The engines to use now: those of the newest definitions.
    #[must_use]
    pub fn latest(self: &Arc<Self>) -> Arc<Self> {
        self.live.upgrade().and_then(|live| live.latest()).unwrap_or_else(|| Arc::clone(self))
    }

    /// The search parameters of the newest definitions.
    #[must_use]
    pub fn latest_parameters(&self) -> Arc<Registry> {
        let latest = self.live.upgrade().and_then(|live| live.latest());
        latest.map_or_else(|| Arc::clone(&self.parameters), |latest| Arc::clone(&latest.parameters))
    }

    /// By what constraints of scopes are kept, with the newest search parameters and what a role is shown of a Patient.
    #[must_use]
    pub fn means<'a>(&'a self, parameters: &'a Registry, minimum: &'a Minimum) -> Means<'a> {
        let context =
            Context { registry: parameters, base: &self.base, now: self.clock.now(), handling: Handling::Strict };
        Means { context, minimum }
    }

    /// Limits of a body.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        Bounds { depth: self.settings.depth_limit, bytes: self.settings.body_limit }
    }

    /// How the referral rules are set.
    #[must_use]
    pub const fn referral_settings(&self) -> referral::Settings {
        use crate::config::Duplicates;
        referral::Settings {
            duplicates: match self.settings.duplicates {
                Duplicates::Refuse => referral::Duplicates::Refuse,
                Duplicates::Warn => referral::Duplicates::Warn,
                Duplicates::Allow => referral::Duplicates::Ignore,
            },
            match_nhs_number: true,
        }
    }

    /// Validates a resource that is to be stored: base R4, UK Core by type, declared profiles, Kith's profiles on
    /// referrals. 422 with all issues where one is an error (unless `validation.mode` is `report`), else the warnings.
    pub fn validate(&self, resource: &Value) -> Result<Vec<Issue>, Problem> {
        let mut issues = self.validator.validate(resource, &Options::default());
        issues.extend(referral::check(resource));
        let metrics = self.store.metrics();
        metrics.verdict(!issues.iter().any(Issue::is_error));
        for issue in &issues {
            metrics.issue(&issue.rule, if issue.is_error() { "error" } else { "warning" });
        }
        if self.settings.validation == ValidationMode::Enforce && issues.iter().any(Issue::is_error) {
            return Err(Problem::with_issues(Kind::Unprocessable, issues));
        }
        Ok(issues)
    }
}
