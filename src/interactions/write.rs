//! The write path: every change of a resource, from whatever interaction, goes through [`apply`] inside one transaction with
//! its referral rules, its effects and its audit events. Called by create, update, delete, patch, batch and transaction.

use actix_web::web::Bytes;
use serde_json::Value;

use super::audit_event;
use super::draft::Draft;
use super::effects;
use super::guard;
use super::live;
use super::patch;
use super::precondition::Precondition;
use super::record::{self, Stamp};
use super::server::Server;
use super::subset;
use crate::clock::Micros;
use crate::config::References;
use crate::fhir::codec::json;
use crate::fhir::issue::Issue;
use crate::problem::{Kind, Problem};
use crate::referral::{self, Decision};
use crate::store::{AuditRecord, NewResource, Party, Stored, Tx};

/// One change that a client asks for.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new resource under an id of the server's choice.
    Create(Draft),
    /// New content for an id; the resource is created where there is none.
    Update {
        /// The content.
        draft: Draft,
        /// What must hold of the current version.
        precondition: Precondition,
        /// The version that a patch has made the content from, which must be current too.
        patched: Option<i64>,
    },
    /// The end of a resource.
    Delete {
        /// Resource type.
        resource_type: String,
        /// Logical id.
        id: String,
        /// What must hold of the current version.
        precondition: Precondition,
    },
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A resource came into being (201).
    Created,
    /// A new version, or the one before where the content is the same (200).
    Updated,
    /// A new version, made by a patch (200).
    Patched,
    /// It is deleted (204).
    Deleted,
    /// Nothing had to be done (200).
    Unchanged,
}

/// The result of a change.
#[derive(Debug, Clone)]
pub struct Written {
    /// What happened.
    pub outcome: Outcome,
    /// Resource type.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// The version that is now current; 0 where a delete found nothing.
    pub version: i64,
    /// When it became current.
    pub last_updated: Micros,
    /// The patient that it is about, as `Patient/id`; empty where it is about none.
    pub patient: String,
    /// Its bytes; empty after a delete.
    pub body: Bytes,
    /// Warnings.
    pub issues: Vec<Issue>,
}

impl Change {
    /// The type of what is changed.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        match self {
            Self::Create(draft) | Self::Update { draft, .. } => &draft.resource_type,
            Self::Delete { resource_type, .. } => resource_type,
        }
    }
}

impl Change {
    /// Type and id of what is changed; the id is empty where criteria will tell.
    #[must_use]
    pub fn identity(&self) -> [&str; 2] {
        match self {
            Self::Create(draft) | Self::Update { draft, .. } => [&draft.resource_type, &draft.id],
            Self::Delete { resource_type, id, .. } => [resource_type, id],
        }
    }
}

impl Written {
    /// A delete that found nothing, or more than can be named.
    #[must_use]
    pub fn deleted(resource_type: &str, id: &str, now: Micros) -> Self {
        Self {
            outcome: Outcome::Deleted,
            resource_type: resource_type.to_owned(),
            id: id.to_owned(),
            version: 0,
            last_updated: now,
            patient: String::new(),
            body: Bytes::new(),
            issues: Vec::new(),
        }
    }

    /// A stored resource that a conditional interaction found and left as it was.
    #[must_use]
    pub fn unchanged(stored: Stored) -> Self {
        Self {
            outcome: Outcome::Unchanged,
            resource_type: stored.resource_type,
            id: stored.id,
            version: stored.version,
            last_updated: stored.last_updated,
            patient: stored.patient,
            body: stored.body,
            issues: Vec::new(),
        }
    }

    /// `Type/id/_history/version`.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}/{}/_history/{}", self.resource_type, self.id, self.version)
    }
}

/// Carries out one change inside `tx`, with the rules of the referral and what they cause; audit events are added to
/// `records`. A refusal is an `Err`, and the transaction must not be committed then.
pub async fn apply(
    server: &Server,
    tx: &mut Tx,
    change: &Change,
    stamp: &Stamp,
    records: &mut Vec<AuditRecord>,
) -> Result<Written, Problem> {
    if change.resource_type() == audit_event::TYPE {
        return Err(audit_event::never_written());
    }
    if let Change::Create(draft) | Change::Update { draft, .. } = change
        && !stamp.caller.imports
    {
        // Nobody else knows the id of what is being created.
        let own = matches!(change, Change::Create(_)).then(|| format!("{}/{}", draft.resource_type, draft.id));
        for key in referral::locks(&draft.value, server.referral_settings()) {
            if own.as_ref() != Some(&key) {
                tx.lock(&key).await?;
            }
        }
    }
    match change {
        Change::Create(draft) => {
            guard::create(server, tx, stamp, draft).await?;
            let origin = Origin { method: "POST", version_checked: false };
            store(server, tx, draft, None, origin, stamp, records).await
        }
        Change::Update { draft, precondition, patched } => {
            tx.hold(&[change.identity()]).await?;
            let before = tx.read(&draft.resource_type, &draft.id).await?;
            let before = guard::update(server, tx, stamp, draft, before).await?;
            precondition.check(before.as_ref())?;
            let current = before.as_ref().filter(|stored| !stored.deleted).map(|stored| stored.version);
            if patched.is_some() && *patched != current {
                return Err(patch::stale());
            }
            let method = if patched.is_some() { "PATCH" } else { "PUT" };
            let origin = Origin { method, version_checked: precondition.names_version() };
            store(server, tx, draft, before, origin, stamp, records).await
        }
        Change::Delete { resource_type, id, precondition } => {
            tx.hold(&[change.identity()]).await?;
            let before = tx.read(resource_type, id).await?;
            let before = guard::replaceable(tx, stamp, resource_type, id, before).await?;
            precondition.check(before.as_ref())?;
            delete(server, tx, resource_type, id, before, stamp, records).await
        }
    }
}

/// How new content came about.
#[derive(Debug, Clone, Copy)]
struct Origin {
    /// The HTTP method, as histories show it.
    method: &'static str,
    /// The client named the version it replaces.
    version_checked: bool,
}

async fn store(
    server: &Server,
    tx: &mut Tx,
    draft: &Draft,
    before: Option<Stored>,
    origin: Origin,
    stamp: &Stamp,
    records: &mut Vec<AuditRecord>,
) -> Result<Written, Problem> {
    let now = server.clock.now();
    let living = before.as_ref().filter(|stored| !stored.deleted);
    if living.is_some() && subset::is_subsetted(&draft.value) {
        return Err(incomplete(&draft.resource_type));
    }
    let decision = decide(server, tx, draft, living, origin, stamp, now).await?;
    if let Some(problem) = decision.problem() {
        return Err(problem);
    }
    let amended = match decision.amended {
        Some(value) => Some(Draft::unchecked(server, value, draft.id.clone())?),
        None => None,
    };
    let stored = amended.as_ref().unwrap_or(draft);
    let outcome = match living {
        None => Outcome::Created,
        Some(_) if origin.method == "PATCH" => Outcome::Patched,
        Some(_) => Outcome::Updated,
    };
    let same = living.filter(|living| decision.effects.is_empty() && stored.is_stored_as(living));
    let mut written = if let Some(living) = same {
        Written { outcome, ..Written::unchanged(living.clone()) }
    } else {
        live::admit(server, tx, stored, living).await?;
        put(server, tx, stored, before.as_ref(), (outcome, origin.method), now, stamp).await?
    };
    if same.is_none() {
        live::changed(server, tx, &written.resource_type).await?;
    }
    if same.is_none() && !stamp.caller.imports {
        tx.require(&draft.references);
    }
    records.push(stamp.change(&written, before.as_ref().map(|stored| stored.version)));
    let cause = written.location();
    effects::carry_out(server, tx, &decision.effects, &cause, stamp, records).await?;
    written.issues = draft.issues.iter().cloned().chain(decision.issues).collect();
    Ok(written)
}

/// What was read with `_summary` or `_elements` must not replace the whole.
fn incomplete(resource_type: &str) -> Problem {
    let text = "The resource is tagged SUBSETTED: it was read without some of its elements, and storing it would lose them. \
                Read it without `_summary` and `_elements`, and repeat the change.";
    Problem::new(Kind::Unprocessable, text).at(format!("{resource_type}.meta.tag"))
}

/// Writes one version with its index rows; histories show it as made by `method`.
pub(super) async fn put(
    server: &Server,
    tx: &mut Tx,
    draft: &Draft,
    before: Option<&Stored>,
    (outcome, method): (Outcome, &'static str),
    now: Micros,
    stamp: &Stamp,
) -> Result<Written, Problem> {
    let version = before.map_or(1, |stored| stored.version + 1);
    let now = later(now, before);
    let body = draft.body(version, now);
    let mut parties = effects::parties(server, &draft.value);
    if before.is_none_or(|stored| stored.deleted) {
        parties.extend(stamp.caller.organisation.as_deref().map(Party::author));
    }
    let new = NewResource {
        resource_type: draft.resource_type.clone(),
        id: draft.id.clone(),
        version,
        last_updated: now,
        method,
        patient: record::patient_of(&draft.resource_type, &draft.id, &draft.value).unwrap_or_default(),
        author: stamp.caller.organisation.clone().unwrap_or_default(),
        body: body.clone(),
        rows: live::rows(server, draft),
        parties,
    };
    let stored = match before {
        None => tx.create(new).await?,
        Some(stored) => tx.update(new, stored.version).await?,
    };
    Ok(Written {
        outcome,
        resource_type: stored.resource_type,
        id: stored.id,
        version,
        last_updated: now,
        patient: stored.patient,
        body,
        issues: Vec::new(),
    })
}

/// When a version is made: the time now, but never before the version that it replaces, however the clock was set.
fn later(now: Micros, before: Option<&Stored>) -> Micros {
    before.map_or(now, |stored| now.max(stored.last_updated.saturating_add(1)))
}

async fn decide(
    server: &Server,
    tx: &mut Tx,
    draft: &Draft,
    before: Option<&Stored>,
    origin: Origin,
    stamp: &Stamp,
    now: Micros,
) -> Result<Decision, Problem> {
    if stamp.caller.imports || !referral::concerns(&draft.resource_type) {
        return Ok(Decision::default());
    }
    let last_author = before.and_then(|stored| record::organisation(&stored.author));
    let before: Option<Value> = match before {
        Some(stored) => Some(json::parse_stored(&stored.body)?),
        None => None,
    };
    let change = referral::Change {
        before: before.as_ref(),
        after: &draft.value,
        actor: &stamp.actor,
        version_checked: origin.version_checked,
        stamped: draft.stamped,
        last_author: last_author.as_ref(),
        now,
    };
    effects::decide(server, tx, &change).await
}

async fn delete(
    server: &Server,
    tx: &mut Tx,
    resource_type: &str,
    id: &str,
    before: Option<Stored>,
    stamp: &Stamp,
    records: &mut Vec<AuditRecord>,
) -> Result<Written, Problem> {
    let now = server.clock.now();
    let mut written = Written::deleted(resource_type, id, now);
    written.version = before.as_ref().map_or(0, |stored| stored.version);
    let Some(stored) = before.filter(|stored| !stored.deleted) else {
        records.push(stamp.change(&written, None));
        return Ok(written);
    };
    if !stamp.caller.imports {
        if referral::concerns(resource_type) {
            let before = json::parse_stored(&stored.body)?;
            effects::decide_removal(server, tx, &before).await?.problem().map_or(Ok(()), Err)?;
        }
        if server.settings.references_delete == References::Enforce {
            tx.require_unreferenced(&stored).await?;
        }
    }
    written.version = stored.version + 1;
    written.last_updated = later(now, Some(&stored));
    live::removed(tx, &stored).await?;
    tx.delete(resource_type, id, written.version, written.last_updated, stored.version).await?;
    live::changed(server, tx, resource_type).await?;
    written.patient = stored.patient;
    records.push(stamp.change(&written, Some(stored.version)));
    Ok(written)
}
