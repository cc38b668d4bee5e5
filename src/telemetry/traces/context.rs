//! Which trace a request belongs to: the one that its caller names in `traceparent`
//! (<https://www.w3.org/TR/trace-context/#traceparent-header>), else a new one. `tracestate` is not taken: it is free text.

/// The place of a request in a trace; ids are lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// 16 bytes.
    pub trace: String,
    /// The caller's span, 8 bytes; empty where the trace begins here.
    pub parent: String,
    /// False where the caller does not record this trace: then nobody after it should.
    pub sampled: bool,
}

impl Context {
    /// The context that a header names; none where it is not one.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // Later versions may have further parts.
        let known = is_hexadecimal(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        let named = |text: &str, digits: usize| is_hexadecimal(text, digits) && text.bytes().any(|digit| digit != b'0');
        if !known || !named(trace, 32) || !named(parent, 16) || !is_hexadecimal(flags, 2) {
            return None;
        }
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace: trace.to_owned(), parent: parent.to_owned(), sampled })
    }

    /// A trace that begins here, named after a UUID.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { trace: digits(id), parent: String::new(), sampled: true }
    }
}

/// The id of a span from a UUID: its random half.
#[must_use]
pub fn span_id(id: &str) -> String {
    digits(id).split_off(16)
}

/// The hexadecimal digits of a UUID: 32, whatever it is given.
fn digits(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(32).collect();
    format!("{digits:0>32}")
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
