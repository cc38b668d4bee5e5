//! Extended operations over HTTP, on both databases.

mod validate;
