//! What a hostile or broken client may try: too much, too slowly, too often, and texts that mean something elsewhere.

mod fuzz;
mod limits;
mod names;
mod rates;
mod slow;
mod texts;
