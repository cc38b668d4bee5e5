//! The XML codec.

mod examples;
mod reading;
mod writing;
