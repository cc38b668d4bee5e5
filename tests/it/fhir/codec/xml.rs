//! The XML codec.

mod examples;
mod reading;
mod witness;
mod writing;
