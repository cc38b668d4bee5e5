//! The REST interactions over HTTP, on both databases.

mod audit;
mod audit_event;
mod bundles;
mod capabilities;
mod claims;
mod conditional;
mod crud;
mod definitions;
mod entries;
mod formats;
mod graph;
mod headers;
mod history;
mod methods;
mod openapi;
mod patch;
mod references;
mod scopes;
pub mod search;
mod subsets;
mod updates;
