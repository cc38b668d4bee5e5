//! Which resources a client sees and changes, by its organisation and role.

mod roles;
pub mod world;
