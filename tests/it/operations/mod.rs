//! Extended operations over HTTP, on both databases.

mod everything;
mod meta;
mod validate;
