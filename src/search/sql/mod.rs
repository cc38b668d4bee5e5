//! From a query to SQL: one portable text and its values, which the store runs on either database.

pub mod statement;

pub use statement::{Bind, SortColumn, Statement};
