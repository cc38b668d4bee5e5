//! Jobs: the runner, re-indexing, search parameters that an operator adds.

mod runner;
