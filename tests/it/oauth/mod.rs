//! Access tokens: who gets one, and what it opens.

mod accounted;
mod attacks;
mod constraints;
mod external;
mod grants;
mod key_url;
mod scopes;
mod seal;
mod tokens;
mod transport;
pub mod world;
