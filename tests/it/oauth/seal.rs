//! The keyed function behind paging tokens, against published codes.

use kith::access::seal::Seal;

fn code(secret: &str, message: &str) -> String {
    use std::fmt::Write as _;
    let code = Seal::new(secret).unwrap().code(message.as_bytes()).unwrap();
    code.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Test case 2 of <https://www.rfc-editor.org/rfc/rfc4231#section-4>, and a key longer than a block.
#[test]
fn codes_are_those_of_the_standard() {
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(code("Jefe", "what do ya want for nothing?"), expected);
    let expected = "2040757e5dddabc7202369acdccc03b8918e288c631e51d7ea670a5e6d824235";
    assert_eq!(code(&"k".repeat(131), "a message"), expected);
}
