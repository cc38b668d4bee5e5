//! Access tokens: who gets one, and what it opens.

mod attacks;
mod scopes;
mod tokens;
mod transport;
pub mod world;
