//! Behaviour written down as data and played against a server: requests in order, what each must answer, what later ones
//! reuse. The referral journeys in `fixtures/journeys/` are played so by the tests and by `kith conformance run`.

mod embedded;
mod http;
pub mod journey;
pub mod player;
mod template;
pub mod transport;

pub use embedded::journeys;
pub use http::Http;
pub use journey::{Journey, Step};
pub use player::{Played, StepReport, play};
pub use transport::{Request, Response, Transport};
