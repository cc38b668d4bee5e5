//! stub
use super::{reply::Reply, request::Request, server::Server};
use crate::access::Grant;
use crate::problem::{Kind, Problem};
/// stub
pub async fn search(_: &Server, _: &Request, _: &str, _: Grant) -> Result<Reply, Problem> {
    Err(Problem::new(Kind::NotSupported, "x"))
}
