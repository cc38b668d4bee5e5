//! Continuation tokens: exact, opaque, tied to their search.

use kith::search::paging::{fingerprint, open, seal};
use kith::search::query::Handling;
use kith::search::sql::{Bind, Position};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use proptest::prelude::*;

use super::parsed;

fn keyed(message: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(b"a key of the tests").unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(message).unwrap()
}

fn position() -> Position {
    let values = vec![Some(Bind::Text("o'neill".into())), None, Some(Bind::Integer(i64::MIN)), Some(Bind::Real(0.1))];
    Position { stage: 1, values, key: 42, backwards: true }
}

#[test]
fn a_token_gives_back_its_position() {
    let token = seal(&position(), "f", &keyed);
    assert_eq!(open(&token, "f", &keyed).unwrap(), position());
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    assert!(!token.contains("neill"));
}

#[test]
fn a_token_serves_no_other_search() {
    let token = seal(&position(), "f", &keyed);
    let problem = open(&token, "g", &keyed).unwrap_err();
    assert_eq!(problem.kind.status(), 400);
    assert_eq!(problem.issues()[0].expression.as_deref(), Some("http.query._page"));
}

#[test]
fn the_fingerprint_leaves_out_page_and_size() {
    let print = |search| fingerprint(&parsed(search, Handling::Strict).unwrap());
    assert_eq!(print("Task?status=requested&_count=5&_page=x"), print("Task?status=requested"));
    assert_ne!(print("Task?status=requested"), print("Task?status=accepted"));
    assert_ne!(print("Task?_sort=status"), print("Task?_sort=-status"));
}

proptest! {
    #[test]
    fn changed_tokens_are_refused(at in 0_usize..60, to in "[A-Za-z0-9_-]") {
        let token = seal(&position(), "f", &keyed);
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        // The last letter may carry bits that mean nothing.
        prop_assume!(changed != token && at + 1 < token.len());
        prop_assert!(open(&changed, "f", &keyed).is_err());
    }

    #[test]
    fn nonsense_is_refused(token in ".{0,80}") {
        prop_assert!(open(&token, "f", &keyed).is_err());
    }
}
