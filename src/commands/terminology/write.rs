//! An edition into the database, and out of it again. Pieces are committed one by one, so that servers on the same database go on
//! writing; the edition is seen when its last commit is made.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::mistake;
use crate::clock::Clock;
use crate::problem::Problem;
use crate::store::{AuditRecord, Store, StoredEdition};
use crate::terminology::Edition;
use crate::terminology::snomed::image;

/// Stores an edition; one of the same version is replaced.
pub(super) async fn load(store: &Store, edition: Edition, clock: &Clock) -> Result<String, Problem> {
    let mut stored = StoredEdition {
        id: clock.new_id(),
        version: edition.version().uri(),
        summary: summary(&edition),
        ..StoredEdition::default()
    };
    let mut pieces = Vec::new();
    let mut pack = |piece: Vec<u8>| {
        let mut encoder = ZlibEncoder::new(Vec::with_capacity(piece.len() / 2), Compression::fast());
        encoder.write_all(&piece)?;
        pieces.push(encoder.finish()?);
        Ok(())
    };
    stored.layout = image::write(edition, &mut pack).map_err(|error: std::io::Error| Problem::internal(error))?;
    begin(store, &stored.id).await?;
    for (position, piece) in (0..).zip(pieces) {
        stored.bytes += i64::try_from(piece.len()).unwrap_or_default();
        stored.pieces = position + 1;
        add(store, &stored.id, position, piece).await?;
    }
    stored.loaded = clock.now();
    let replaced: Vec<String> = store
        .editions()
        .await?
        .into_iter()
        .filter(|other| other.version == stored.version)
        .map(|other| other.id)
        .collect();
    let record = record("terminology-load", &stored.version, clock);
    let work = Arc::new((stored, replaced, record));
    let finished = Arc::clone(&work);
    let write = store.write(move |tx| {
        let work = Arc::clone(&finished);
        Box::pin(async move {
            for id in &work.1 {
                tx.remove_edition(id).await?;
            }
            tx.finish_edition(&work.0).await?;
            Ok(((), vec![work.2.clone()]))
        })
    });
    write.await?;
    let (stored, _, _) = &*work;
    Ok(format!(
        "SNOMED CT {} is loaded: {}, {} kB in the database. Servers on this database take it up within seconds.",
        stored.version,
        stored.summary,
        stored.bytes / 1024
    ))
}

async fn begin(store: &Store, id: &str) -> Result<(), Problem> {
    let id: Arc<str> = id.into();
    let write = store.write(move |tx| {
        let id = Arc::clone(&id);
        Box::pin(async move {
            tx.begin_edition(&id).await?;
            Ok(((), Vec::new()))
        })
    });
    write.await
}

async fn add(store: &Store, id: &str, position: i64, piece: Vec<u8>) -> Result<(), Problem> {
    let work = Arc::new((id.to_owned(), piece));
    let write = store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            tx.add_edition_piece(&work.0, position, &work.1).await?;
            Ok(((), Vec::new()))
        })
    });
    write.await
}

/// Removes the editions of a version.
pub(super) async fn remove(store: &Store, version: &str, clock: &Clock) -> Result<String, Problem> {
    let ids: Vec<String> = store
        .editions()
        .await?
        .into_iter()
        .filter(|stored| stored.version == version)
        .map(|stored| stored.id)
        .collect();
    if ids.is_empty() {
        return Err(mistake("No edition of this version is loaded: kith terminology list shows those that are."));
    }
    let work = Arc::new((ids, record("terminology-remove", version, clock)));
    let write = store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            for id in &work.0 {
                tx.remove_edition(id).await?;
            }
            Ok(((), vec![work.1.clone()]))
        })
    });
    write.await?;
    Ok(format!("SNOMED CT {version} is removed."))
}

fn summary(edition: &Edition) -> String {
    format!(
        "{} concepts, {} descriptions, {} relationships, {} reference sets",
        edition.len(),
        edition.descriptions(),
        edition.relationships(),
        edition.reference_sets()
    )
}

/// The audit record of a change by the person who runs the command.
fn record(interaction: &str, version: &str, clock: &Clock) -> AuditRecord {
    AuditRecord {
        recorded: clock.now(),
        interaction: interaction.to_owned(),
        status: 200,
        request_id: clock.new_id(),
        client: "kith terminology".to_owned(),
        user: std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default(),
        resource_type: "CodeSystem".to_owned(),
        resource_id: version.to_owned(),
        address: "local".to_owned(),
        ..AuditRecord::default()
    }
}
