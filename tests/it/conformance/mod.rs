//! The player of journeys, against answers written down beforehand; and the journey files themselves.

pub mod files;
mod player;
