//! Language tags: whether one is well-formed by BCP 47 (<https://www.rfc-editor.org/rfc/rfc5646#section-2.1>), and what was
//! probably meant where it is not. Called by terminology, for value sets of languages, and by validation.

/// Tags of before RFC 4646 that follow no pattern (<https://www.rfc-editor.org/rfc/rfc5646#section-2.2.8>).
const IRREGULAR: [&str; 17] = [
    "en-GB-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-BE-FR",
    "sgn-BE-NL",
    "sgn-CH-DE",
];

/// Others of them, whose subtags are of the right size and stand for something else.
const REGULAR: [&str; 9] =
    ["art-lojban", "cel-gaulish", "no-bok", "no-nyn", "zh-guoyu", "zh-hakka", "zh-min", "zh-min-nan", "zh-xiang"];

/// Whether a text is a well-formed language tag.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let is_old = || IRREGULAR.iter().chain(&REGULAR).any(|tag| tag.eq_ignore_ascii_case(text));
    Subtags(text).are_well_formed() || is_old()
}

/// The tag that was probably meant: hyphens in place of underscores and spaces, an encoding cut off (`en_GB.UTF-8`). None
/// where nothing is near.
#[must_use]
pub fn nearest(text: &str) -> Option<String> {
    let base = text.trim().split(['.', '@']).next().unwrap_or_default();
    let tag = base.replace(['_', ' '], "-");
    (tag != text && is_tag(&tag)).then_some(tag)
}

/// The subtags that are not looked at yet, separated by hyphens.
struct Subtags<'t>(&'t str);

impl<'t> Subtags<'t> {
    /// language, script, region, variants, extensions, private use; or private use alone.
    fn are_well_formed(&mut self) -> bool {
        if self.0.is_empty() || self.0.starts_with('-') || self.0.ends_with('-') {
            return false;
        }
        let begins_private = matches!(self.0.as_bytes(), [b'x' | b'X', b'-', ..]);
        if begins_private { self.private_use() } else { self.language() && self.rest_fits() }
    }

    fn rest_fits(&mut self) -> bool {
        self.take(|tag| tag.len() == 4 && is_alphabetic(tag));
        self.take(|tag| tag.len() == 2 && is_alphabetic(tag) || tag.len() == 3 && is_numeric(tag));
        while self.take(is_variant) {}
        while self.take(|tag| tag.len() == 1 && is_alphanumeric(tag) && !tag.eq_ignore_ascii_case("x")) {
            if !self.take(|tag| matches!(tag.len(), 2..=8) && is_alphanumeric(tag)) {
                return false;
            }
            while self.take(|tag| matches!(tag.len(), 2..=8) && is_alphanumeric(tag)) {}
        }
        self.0.is_empty() || self.private_use()
    }

    /// Two or three letters with up to three extensions of three, or four to eight letters.
    fn language(&mut self) -> bool {
        if self.take(|tag| matches!(tag.len(), 2..=3) && is_alphabetic(tag)) {
            for _ in 0..3 {
                self.take(|tag| tag.len() == 3 && is_alphabetic(tag));
            }
            return true;
        }
        self.take(|tag| matches!(tag.len(), 4..=8) && is_alphabetic(tag))
    }

    /// `x` and at least one more, to the end.
    fn private_use(&mut self) -> bool {
        self.take(|tag| tag.eq_ignore_ascii_case("x")) && {
            let mut rest = self.0.split('-');
            rest.all(|tag| matches!(tag.len(), 1..=8) && is_alphanumeric(tag))
        }
    }

    /// Takes the next subtag if it fits.
    fn take(&mut self, fits: impl Fn(&'t str) -> bool) -> bool {
        let (next, rest) = self.0.split_once('-').unwrap_or((self.0, ""));
        let taken = fits(next);
        if taken {
            self.0 = rest;
        }
        taken
    }
}

fn is_variant(tag: &str) -> bool {
    let begins_with_digit = tag.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    is_alphanumeric(tag) && (matches!(tag.len(), 5..=8) || tag.len() == 4 && begins_with_digit)
}

fn is_alphabetic(tag: &str) -> bool {
    tag.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_numeric(tag: &str) -> bool {
    tag.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_alphanumeric(tag: &str) -> bool {
    tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
