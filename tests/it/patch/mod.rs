//! Patches as pure functions: the public test suites, what they do not cover, and properties.

mod behaviour;
mod properties;
mod suites;
