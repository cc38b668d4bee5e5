//! From database errors to problems: what the client may repeat, what conflicts, what is a fault of ours.

use sqlx::Error;

use crate::fhir::issue::{Issue, IssueCode, Severity};
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
    if is_not_text(&error) {
        return Problem::new(
            Kind::Invalid,
            "A text has a NUL character in it, which no text of FHIR has. Take it out.",
        )
        .because(error);
    }
    if is_too_costly(&error) {
        return too_costly().because(error);
    }
    Problem::internal(error)
}

/// What is asked for is more than a database takes in one statement.
pub(super) fn too_costly() -> Problem {
    let text = "The search is too costly: it has too many alternatives, or is nested too deeply. Ask for less at once.";
    Problem::with_issues(
        Kind::Invalid,
        vec![Issue::new(Severity::Error, IssueCode::TooCostly, "search-too-costly", text)],
    )
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
    // 40001 serialization failure, 40P01 deadlock, 55P03 lock not available; 5 is SQLite's busy code.
    matches!(code(error).as_deref(), Some("40001" | "40P01" | "55P03" | "5"))
}

/// True where another transaction has created the same resource since this one looked for it: run again, it finds it there. Only
/// PostgreSQL names the index; a writer of SQLite is alone from its first look to its commit.
pub(super) fn is_created_meanwhile(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some("resource_identity"))
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
    // 13 is SQLite's full disk, 53100 PostgreSQL's; 57014 a statement that took longer than it may; 8 a read-only file, 10 a disk fault and its kinds, 14 cannot open.
    is_connection_lost(error)
        || matches!(error, Error::PoolTimedOut)
        || matches!(
            code(error).as_deref(),
            Some("13" | "53100" | "53200" | "53300" | "57014" | "8" | "10" | "14" | "25006")
        )
}

/// Class 54 of PostgreSQL: a limit of the program is exceeded. SQLite has the code 18 and, for most, a text only.
fn is_too_costly(error: &Error) -> bool {
    let says = |text: &str| error.as_database_error().is_some_and(|error| error.message().contains(text));
    match code(error).as_deref() {
        Some("18") => true,
        Some("1") => ["too large", "too many", "stack overflow"].into_iter().any(says),
        Some(code) => code.len() == 5 && code.starts_with("54"),
        None => false,
    }
}

/// 22021: PostgreSQL takes no NUL in a text.
fn is_not_text(error: &Error) -> bool {
    code(error).as_deref() == Some("22021")
}

fn is_unique_violation(error: &Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The code of the database. SQLite's extended codes hold the plain one in their last eight bits
/// (<https://www.sqlite.org/rescode.html#pve>), which is all that matters here; PostgreSQL's have five characters.
fn code(error: &Error) -> Option<String> {
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned))?;
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => Some((number & 0xff).to_string()),
        _ => Some(code),
    }
}
