//! From a query to SQL: one portable text and its values, which the store runs on either database.

pub mod across;
pub mod builder;
mod canonical;
mod condition;
pub mod count;
pub mod dependence;
pub mod include;
mod order;
pub mod page;
mod party;
pub mod statement;
mod visible;

pub use count::count;
pub use dependence::Dependence;
pub use include::{Round, identities, include};
pub use order::Position;
pub use page::{FEW, Page, Stage, estimate, stages};
pub use statement::{Bind, SortColumn, Statement};
pub use visible::visible_keys;
