//! The editions of SNOMED CT that lie in the database, read into memory. Called when a server starts and when definitions have changed;
//! an edition that is in memory already is kept.

use std::io::Read as _;
use std::sync::Arc;

use flate2::read::ZlibDecoder;

use super::server::Server;
use crate::problem::{Kind, Problem};
use crate::store::{Store, StoredEdition};
use crate::terminology::snomed::image::Reader;
use crate::terminology::{Edition, Editions};

/// The largest piece after decompression.
const LARGEST: u64 = 4 << 20;

/// The server with the editions that the database has now.
pub async fn take_up(server: Arc<Server>) -> Result<Arc<Server>, Problem> {
    let known = server.validator.terminology().editions();
    let editions = current(&server.store, known).await?;
    if editions.are(known) {
        return Ok(server);
    }
    let validator = Arc::new(server.validator.with_editions(editions)?);
    Ok(Arc::new(Server { validator, ..(*server).clone() }))
}

/// The editions as the database has them now. One that cannot be read is left out, and said in the log: a server that does
/// everything else is better than none.
pub async fn current(store: &Store, known: &Editions) -> Result<Editions, Problem> {
    let mut all = Vec::new();
    for stored in store.editions().await? {
        if let Some(same) = known.by_id(&stored.id) {
            all.push((stored.id, Arc::clone(same)));
            continue;
        }
        match read(store, &stored).await {
            Ok(edition) => all.push((stored.id, Arc::new(edition))),
            Err(problem) => tracing::error!(version = stored.version, %problem, "a terminology edition is left out"),
        }
    }
    Ok(Editions::new(all))
}

async fn read(store: &Store, stored: &StoredEdition) -> Result<Edition, Problem> {
    let again = || Problem::new(Kind::Invalid, "It cannot be read by this version of kith: load the release again.");
    let mut reader = Reader::new(&stored.layout).ok_or_else(again)?;
    for position in 0..stored.pieces {
        let piece = store.edition_piece(&stored.id, position).await?.ok_or_else(again)?;
        let taken = tokio::task::spawn_blocking(move || {
            let mut content = Vec::new();
            ZlibDecoder::new(&piece[..]).take(LARGEST).read_to_end(&mut content).map(|_| reader.push(&content))?;
            Ok::<Reader, std::io::Error>(reader)
        });
        reader = taken.await.map_err(Problem::internal)?.map_err(|error| again().because(error))?;
    }
    tokio::task::spawn_blocking(move || reader.finish()).await.map_err(Problem::internal)?.ok_or_else(again)
}
