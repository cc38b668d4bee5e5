//! Definitions into schemas.

use super::validator;

#[test]
fn every_embedded_definition_compiles() {
    let failures: Vec<String> = validator().compile_all().into_iter().map(|issue| issue.text).collect();
    assert_eq!(failures, Vec::<String>::new());
}
