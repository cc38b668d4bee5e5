//! The head of an HTTP answer, read at the least cost: both load clients use it.

/// The header that says how long the body is.
const NAME: &[u8] = b"content-length: ";

/// What the clients need of a head.
pub struct Head {
    pub status: u16,
    /// Where the body begins.
    pub body: usize,
    /// How long it is.
    pub length: usize,
}

/// Reads the head at the beginning of `received`; none where it is not there to its end.
pub fn head(received: &[u8]) -> Option<Head> {
    let status = received.get(9..12).map(number);
    let mut length = 0;
    let mut line = 0;
    loop {
        let end = line + received.get(line..)?.iter().position(|byte| *byte == b'\n')?;
        let text = &received[line..end];
        if text.len() <= 1 {
            let status = u16::try_from(status?).unwrap();
            return Some(Head { status, body: end + 1, length });
        }
        if text.len() > NAME.len() && text[NAME.len() - 2] == b':' && text[..NAME.len()].eq_ignore_ascii_case(NAME) {
            length = number(text[NAME.len()..].trim_ascii_end());
        }
        line = end + 1;
    }
}

fn number(digits: &[u8]) -> usize {
    digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
