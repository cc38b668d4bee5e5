//! What an extended operation is (<https://hl7.org/fhir/R4/operations.html>). Each lives in a file of its own under
//! `operations/` and stands in one list there; dispatch finds it by name and level.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::reply::Reply;
use super::request::Request;
use super::server::Server;
use crate::access::Grant;
use crate::access::scope::Permission;
use crate::problem::Problem;

/// At which address an operation was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// `[base]/$name`
    System,
    /// `[base]/[type]/$name`
    Type(String),
    /// `[base]/[type]/[id]/$name`
    Instance(String, String),
    /// `[base]/[type]/[id]/_history/[version]/$name`
    Version(String, String, i64),
}

/// The future of an answer.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

/// One operation.
pub trait Operation: Send + Sync {
    /// Name without the dollar sign.
    fn name(&self) -> &'static str;
    /// Canonical url of its OperationDefinition.
    fn definition(&self) -> &'static str;
    /// True where it may be called at this level.
    fn offered_at(&self, level: &Level) -> bool;
    /// Resource types for which the CapabilityStatement lists it; empty = every type.
    fn resource_types(&self) -> &'static [&'static str] {
        &[]
    }
    /// True where GET may call it (it changes nothing and takes simple parameters only).
    fn by_get(&self) -> bool {
        false
    }
    /// What the scopes of a caller must allow on its resource type (on all types, at system level); none where a token of any
    /// scope is enough, because nothing stored is shown or changed.
    fn permission(&self) -> Option<Permission> {
        Some(Permission::Read)
    }
    /// True where DELETE may call it (it takes something back).
    fn by_delete(&self) -> bool {
        false
    }
    /// Carries it out.
    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, grant: Grant) -> Answer<'a>;
}
