//! From database errors to problems: what the client may repeat, what conflicts, what is a fault of ours.

use sqlx::Error;

use crate::problem::{Kind, Problem};

/// The problem that a database error is.
pub(super) fn problem(error: Error) -> Problem {
    if is_unique_violation(&error) {
        return conflict().because(error);
    }
    if is_unavailable(&error) || is_retryable(&error) {
        return Problem::new(Kind::Unavailable, "The database is not available just now. Try again in a moment.")
            .because(error);
    }
    Problem::internal(error)
}

/// The same thing was written by somebody else meanwhile.
pub(super) fn conflict() -> Problem {
    Problem::new(
        Kind::Conflict,
        "The resource was changed by someone else meanwhile. Read it again and repeat the change on what you read.",
    )
}

/// The queue of writers is full, or the store is closing.
pub(super) fn busy() -> Problem {
    Problem::new(Kind::Unavailable, "The server is busy and did not take this request. Try again in a moment.")
}

/// A database cannot be opened; said to the person who starts the server.
pub(super) fn cannot_open(error: Error) -> Problem {
    Problem::new(Kind::Unavailable, format!("The database cannot be opened: {error}")).because(error)
}

/// A second problem of the same meaning, for the other jobs of a batch.
pub(super) fn repeat(problem: &Problem) -> Problem {
    Problem::with_issues(problem.kind, problem.issues().to_vec()).because(problem.to_string())
}

/// True where running the transaction again may succeed: nothing of it was written.
pub(super) fn is_retryable(error: &Error) -> bool {
    // 40001 serialization failure, 40P01 deadlock, 55P03 lock not available; 5 and 517 are SQLite's busy codes.
    matches!(code(error).as_deref(), Some("40001" | "40P01" | "55P03" | "5" | "517" | "261"))
}

/// True where the connection is of no use any more.
pub(super) fn is_connection_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed | Error::PoolClosed => true,
        // Class 57 of PostgreSQL: shutdown, crash, cannot connect now.
        _ => code(error).is_some_and(|code| code.starts_with("57P")),
    }
}

fn is_unavailable(error: &Error) -> bool {
    // 13 is SQLite's full disk, 53100 PostgreSQL's; 8 a read-only file, 10 a disk fault and its kinds, 14 cannot open.
    is_connection_lost(error)
        || matches!(error, Error::PoolTimedOut)
        || matches!(code(error).as_deref(), Some("13" | "53100" | "53200" | "53300" | "8" | "10" | "14" | "25006"))
}

fn is_unique_violation(error: &Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn code(error: &Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned))
}
