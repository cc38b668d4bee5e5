//! Behaviour written down as data and played against a server: requests in order, what each must answer, what later ones
//! reuse. The cases of `conformance/http/` and the referral journeys of `fixtures/journeys/` are played so by the tests and by
//! `kith conformance run`.

mod check;
pub mod claims;
mod embedded;
mod http;
pub mod journey;
pub mod player;
pub mod report;
pub mod section;
pub mod suite;
mod template;
pub mod transport;

pub use claims::{Claims, Needs};
pub use embedded::{journeys, sections};
pub use http::Http;
pub use journey::{Journey, Step};
pub use player::{Played, StepReport, play};
pub use section::{Case, Section};
pub use suite::{CaseReport, Suite, Verdict};
pub use transport::{Request, Response, Transport};
