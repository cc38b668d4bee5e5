//! Which resources a client sees and changes, by its organisation and role.

mod activity;
mod attacks;
mod consent;
mod history;
mod model;
mod property;
mod random;
mod roles;
mod same;
pub mod world;
