//! The REST interactions over HTTP, on both databases.

mod bundles;
mod crud;
mod formats;
mod search;
