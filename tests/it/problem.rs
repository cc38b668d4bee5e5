//! The table from failures to HTTP and FHIR.

use kith::problem::{Kind, Problem};

#[test]
fn every_kind_has_an_error_status_and_one_issue() {
    for kind in Kind::ALL {
        let problem = Problem::new(kind, "text");
        assert!((400..600).contains(&kind.status()), "{kind:?}");
        assert_eq!(problem.issues().len(), 1);
        assert_eq!(problem.issues()[0].code, kind.issue_code());
    }
}
