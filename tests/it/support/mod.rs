//! What all tests share: databases to throw away, and where the reference data lies.

pub mod database;
pub mod http;
pub mod minimal;
pub mod postgres;
pub mod process;
pub mod sql;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use database::TestDatabase;

/// The folder of reference data that is not in the repository: `KITH_SHARED_DATA`, or `shared/data` beside the crate or a
/// folder above it. `None`, and a printed line, where there is none: the calling test then has nothing to compare with.
pub fn shared_data() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KITH_SHARED_DATA").map(PathBuf::from) {
        return Some(path);
    }
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("no reference data found (KITH_SHARED_DATA): this comparison did not run");
    }
    found
}

/// What this thread has cost so far: its time on a processor where the system tells, which does not grow while others have it.
pub fn spent() -> Duration {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split_whitespace().next().and_then(|first| first.parse().ok());
    nanoseconds.map_or_else(|| STARTED.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// The files of a folder with the given extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// Declares tests that run on both databases: `both! { async fn name(database) { … } }` makes `name::sqlite` and
/// `name::postgres`; `database` is a fresh [`TestDatabase`].
macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn run($database: $crate::support::TestDatabase) $body

                $(#[$attribute])*
                #[tokio::test]
                async fn sqlite() {
                    run($crate::support::TestDatabase::sqlite()).await;
                }

                $(#[$attribute])*
                #[tokio::test]
                async fn postgres() {
                    if let Some(database) = $crate::support::TestDatabase::postgres() {
                        run(database).await;
                    }
                }
            }
        )*
    };
}
pub(crate) use both;

/// Declares tests over HTTP that run on both databases: `over_http!(name, …)` makes `name::sqlite` and `name::postgres`
/// for functions `fn name(database: &TestDatabase)`, where `database` is fresh.
macro_rules! over_http {
    ($($name:ident),* $(,)?) => {
        $(
            mod $name {
                #[test]
                fn sqlite() {
                    let database = $crate::support::TestDatabase::sqlite();
                    super::$name(&database);
                }

                #[test]
                fn postgres() {
                    if let Some(database) = $crate::support::TestDatabase::postgres() {
                        super::$name(&database);
                    }
                }
            }
        )*
    };
}
pub(crate) use over_http;
