//! Engines for changed definitions from those before: what does not depend on the change is taken over.

use std::sync::Arc;

use super::super::server::Server;
use super::known::Known;
use crate::fhir::definitions::{Definitions, Part};
use crate::problem::Problem;
use crate::search::extract::Extractor;
use crate::search::parameters::{Registry, Standings};
use crate::validate::Validator;

/// The server with a definition as if it were stored already; search stays as it is.
pub(super) fn trying(server: &Server, part: &Part) -> Result<Server, Problem> {
    let definitions = Arc::new(server.definitions.preferring(part));
    let validator = validator(server, &definitions)?;
    Ok(Server { definitions, validator, owned: None, ..server.clone() })
}

fn validator(before: &Server, definitions: &Arc<Definitions>) -> Result<Arc<Validator>, Problem> {
    if Arc::ptr_eq(definitions, &before.definitions) {
        return Ok(Arc::clone(&before.validator));
    }
    let changed = definitions.succeed(&before.definitions);
    before.validator.succeeding(Arc::clone(definitions), &changed).map(Arc::new)
}

/// The server for what is known now.
pub(super) async fn successor(before: &Server, known: &Known, searches_otherwise: bool) -> Result<Server, Problem> {
    let standard =
        if searches_otherwise { Arc::new(Registry::new(known.standard())) } else { Arc::clone(&before.standard) };
    let definitions = if known.count() == 0 {
        Arc::clone(standard.definitions())
    } else {
        Arc::new(standard.definitions().with_parts(known.parts()))
    };
    let validator = validator(before, &definitions)?;
    let parameters = if searches_otherwise {
        let indexed = before.store.indexed().await?;
        let indexed = indexed.into_iter().map(|(resource_type, code, generation)| ((resource_type, code), generation));
        let standings = Standings { drafts: known.drafts(), indexed: indexed.collect() };
        Registry::with(Arc::clone(&definitions), standings)
    } else {
        before.parameters.succeeding(Arc::clone(&definitions))
    };
    let parameters = Arc::new(parameters.asking(Arc::clone(validator.terminology())));
    Ok(Server {
        extractor: Extractor::new(Arc::clone(&parameters), &before.base),
        stored_definitions: known.count(),
        definitions,
        validator,
        parameters,
        standard,
        owned: None,
        ..before.clone()
    })
}
