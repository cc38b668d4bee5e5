//! The player, against answers written down beforehand; the journey files; the cases of `conformance/http/`, over HTTP.

pub mod files;
mod http;
mod lists;
mod player;
mod report;
