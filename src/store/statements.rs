//! The list of every SQL text of the store, for the test that prepares each on both databases.

use super::audit::{chain, checkpoint, find, subjects, verify};
use super::backup::tables;
use super::insert::Insert;
use super::{
    clients, dialect, editions, flush, history, index, indexed, jobs, keys, labels, migrate, packages, references,
    resources, secret, tokens, tx,
};

/// Every fixed text, with its name. Advisory locks and passing over locked rows are PostgreSQL's own and not in it.
#[expect(clippy::too_many_lines, reason = "a list has as many lines as entries")]
pub fn texts() -> Vec<(&'static str, &'static str)> {
    let mut texts = vec![
        ("checkpoint::ADD_KEY", checkpoint::ADD_KEY),
        ("checkpoint::INSERT", checkpoint::INSERT),
        ("clients::ADD", clients::ADD),
        ("clients::CHANGE", clients::CHANGE),
        ("clients::LIST", clients::LIST),
        ("clients::READ", clients::READ),
        ("editions::ADD", editions::ADD),
        ("editions::ADD_PIECE", editions::ADD_PIECE),
        ("editions::FINISH", editions::FINISH),
        ("editions::FORGET", editions::FORGET),
        ("editions::FORGET_PIECES", editions::FORGET_PIECES),
        ("editions::LIST", editions::LIST),
        ("editions::PIECE", editions::PIECE),
        ("editions::REMOVE", editions::REMOVE),
        ("editions::REMOVE_PIECES", editions::REMOVE_PIECES),
        ("find::NUMBER", find::NUMBER),
        ("find::READ", find::READ),
        ("history::COUNT_INSTANCE", history::COUNT_INSTANCE),
        ("history::COUNT_SYSTEM", history::COUNT_SYSTEM),
        ("history::COUNT_TYPE", history::COUNT_TYPE),
        ("history::INSTANCE", history::INSTANCE),
        ("history::SYSTEM", history::SYSTEM),
        ("history::TYPE", history::TYPE),
        ("index::ADD_PARAMETER", index::ADD_PARAMETER),
        ("index::FIND_PARAMETER", index::FIND_PARAMETER),
        ("index::PARAMETERS", index::PARAMETERS),
        ("indexed::COUNT_OTHERS", indexed::COUNT_OTHERS),
        ("indexed::CURRENT", indexed::CURRENT),
        ("indexed::DEFINITIONS", indexed::DEFINITIONS),
        ("indexed::DEFINITIONS_CHANGED", indexed::DEFINITIONS_CHANGED),
        ("indexed::MARK", indexed::MARK),
        ("indexed::MARKS", indexed::MARKS),
        ("indexed::OTHERS", indexed::OTHERS),
        ("indexed::REPLACE", indexed::REPLACE),
        ("indexed::UNMARK", indexed::UNMARK),
        ("jobs::ANY_WAITING", jobs::ANY_WAITING),
        ("jobs::CANCEL", jobs::CANCEL),
        ("jobs::CLAIM", jobs::CLAIM),
        ("jobs::FAIL", jobs::FAIL),
        ("jobs::FIND", jobs::FIND),
        ("jobs::FINISH", jobs::FINISH),
        ("jobs::HOLD", jobs::HOLD),
        ("jobs::NEXT_DUE", jobs::NEXT_DUE),
        ("jobs::POSTPONE", jobs::POSTPONE),
        ("jobs::PURGE", jobs::PURGE),
        ("jobs::REMOVE", jobs::REMOVE),
        ("jobs::RENEW", jobs::RENEW),
        ("keys::TAKE", keys::TAKE),
        ("labels::TOKENS", labels::TOKENS),
        ("labels::URIS", labels::URIS),
        ("migrate::NEWEST", migrate::NEWEST),
        ("migrate::RECORD", migrate::RECORD),
        ("packages::ADD", packages::ADD),
        ("packages::CHANGED", packages::CHANGED),
        ("packages::CONTENT", packages::CONTENT),
        ("packages::COUNTS", packages::COUNTS),
        ("packages::HEADS", packages::HEADS),
        ("packages::LIST", packages::LIST),
        ("packages::REMOVE", packages::REMOVE),
        ("references::REFERRERS", references::REFERRERS),
        ("resources::COUNTS", resources::COUNTS),
        ("resources::COUNT_TYPE", resources::COUNT_TYPE),
        ("resources::READ", resources::READ),
        ("resources::READ_VERSION", resources::READ_VERSION),
        ("resources::TYPES", resources::TYPES),
        ("secret::OFFER", secret::OFFER),
        ("secret::READ", secret::READ),
        ("subjects::ADVANCE", subjects::ADVANCE),
        ("subjects::END", subjects::END),
        ("subjects::NEXT", subjects::NEXT),
        ("subjects::PENDING", subjects::PENDING),
        ("subjects::REGISTER", subjects::REGISTER),
        ("tokens::ADD_SIGNING_KEY", tokens::ADD_SIGNING_KEY),
        ("tokens::FORGET_ASSERTIONS", tokens::FORGET_ASSERTIONS),
        ("tokens::FORGET_REVOKED", tokens::FORGET_REVOKED),
        ("tokens::IS_REVOKED", tokens::IS_REVOKED),
        ("tokens::REVOKE", tokens::REVOKE),
        ("tokens::SIGNING_KEYS", tokens::SIGNING_KEYS),
        ("tokens::USE_ASSERTION", tokens::USE_ASSERTION),
        ("tx::UPDATE", tx::UPDATE),
        ("verify::CHECKPOINTS", verify::CHECKPOINTS),
        ("verify::KEYS", verify::KEYS),
        ("verify::ROWS", verify::ROWS),
    ];
    texts.extend(index::CLEAR.map(|text| ("index::CLEAR", text)));
    texts
}

/// Every insert statement of many rows.
pub fn inserts() -> [&'static Insert; 16] {
    [
        &chain::AUDIT,
        &subjects::SUBJECT,
        &flush::JOB,
        &flush::RESOURCE,
        &flush::VERSION,
        &index::COMPONENT,
        &index::DATE,
        &index::NUMBER,
        &index::PARTY,
        &index::PLACE,
        &index::QUANTITY,
        &index::REFERENCE,
        &index::STRING,
        &index::TEXT,
        &index::TOKEN,
        &index::URI,
    ]
}

/// The text that only PostgreSQL runs.
pub const POSTGRES_ONLY: [&str; 5] = [
    dialect::ADVISORY_LOCK,
    dialect::OTHERS_CONNECTED,
    dialect::TRY_ADVISORY_LOCK,
    jobs::CLAIM_SKIPPING,
    tables::COLUMNS_POSTGRES,
];
