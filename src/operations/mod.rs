//! Extended operations, one file each; [`ALL`] is the list that dispatch and the CapabilityStatement use.

pub mod validate;

use crate::interactions::operation::Operation;

/// Every operation that this server offers.
pub const ALL: &[&dyn Operation] = &[&validate::Validate];
