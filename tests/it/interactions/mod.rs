//! The REST interactions over HTTP, on both databases.

mod bundles;
mod capabilities;
mod crud;
mod formats;
mod search;
