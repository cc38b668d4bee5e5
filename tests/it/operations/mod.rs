//! Extended operations over HTTP, on both databases.

mod everything;
mod validate;
