//! Extended operations over HTTP, on both databases.

mod access_log;
mod codes;
mod everything;
mod meta;
mod snapshot;
mod snomed;
mod terminology;
mod terminology_access;
mod validate;
mod versions;
