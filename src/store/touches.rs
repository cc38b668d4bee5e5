//! Whether rows that a transaction has gathered could match search criteria. Asked by `Tx::search_by`, so that a look-up by
//! patient or identifier need not write the whole batch first. Errs on the side of "could".

use super::pending::{KeyedRows, Pending};

/// False only where no gathered row can match: nothing was replaced, and some criterion names values, all of them literal
/// references or `system|code` tokens, none of which a gathered resource of the type has.
pub(super) fn may_match(pending: &Pending, resource_type: &str, criteria: &[(String, String)]) -> bool {
    if !pending.cleared.is_empty() {
        return true;
    }
    let mut rows = pending.index.iter().filter(|rows| rows.resource_type == resource_type).peekable();
    if rows.peek().is_none() {
        return false;
    }
    let rows: Vec<&KeyedRows> = rows.collect();
    criteria.iter().all(|(_, value)| match names(value) {
        Some(names) => rows.iter().any(|rows| names.iter().any(|name| touches(rows, name))),
        None => true,
    })
}

/// The ids and codes that a criterion names; none where it is not of that kind.
fn names(value: &str) -> Option<Vec<&str>> {
    if value.contains('\\') {
        return None;
    }
    value
        .split(',')
        .map(|one| one.rsplit_once(['/', '|']).map(|(_, name)| name).filter(|name| !name.is_empty()))
        .collect()
}

fn touches(rows: &KeyedRows, name: &str) -> bool {
    rows.rows.references.iter().any(|row| row.target_id.ends_with(name))
        || rows.rows.tokens.iter().any(|row| row.code.ends_with(name))
}
