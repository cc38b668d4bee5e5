//! Folding of text for string search: case, accents and width fall away, white space collapses
//! (<https://hl7.org/fhir/R4/search.html#string>). Extraction and query parsing fold alike, so that index rows and values meet.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The longest folded text, in characters (at most 1,000 bytes, which every index takes). What is beyond is cut off, in rows
/// and in queries alike.
const LONGEST: usize = 240;

/// The folded form of `text`: compatibility decomposition without combining marks, lower case, single spaces, trimmed.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() { fold_ascii(text) } else { fold_unicode(text) }
}

fn fold_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(LONGEST));
    for byte in text.bytes() {
        push(&mut folded, char::from(byte.to_ascii_lowercase()));
        if folded.len() >= LONGEST {
            break;
        }
    }
    finish(folded)
}

fn fold_unicode(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(LONGEST));
    let decomposed = text.nfkd().filter(|character| !is_combining_mark(*character));
    let mut count = 0;
    for character in decomposed {
        fold_character(character, &mut |lower| push(&mut folded, lower));
        count += 1;
        if count >= LONGEST {
            break;
        }
    }
    finish(folded)
}

/// One character of a decomposed text, folded.
fn fold_character(character: char, found: &mut dyn FnMut(char)) {
    match character {
        'ß' => "ss".chars().for_each(found),
        'ø' | 'Ø' => found('o'),
        'æ' | 'Æ' => "ae".chars().for_each(found),
        'ł' | 'Ł' => found('l'),
        'đ' | 'Đ' | 'ð' | 'Ð' => found('d'),
        '\u{2018}' | '\u{2019}' => found('\''),
        other => other.to_lowercase().for_each(found),
    }
}

/// Adds the words of `text`, folded, to `words`: runs of letters and digits, each with a space before it.
pub(crate) fn add_words(text: &str, words: &mut String) {
    let mut within = false;
    let mut add = |character: char| {
        if character.is_alphanumeric() {
            if !within {
                words.push(' ');
            }
            words.push(character);
        }
        within = character.is_alphanumeric();
    };
    if text.is_ascii() {
        text.bytes().for_each(|byte| add(char::from(byte.to_ascii_lowercase())));
        return;
    }
    let decomposed = text.nfkd().filter(|character| !is_combining_mark(*character));
    decomposed.for_each(|character| fold_character(character, &mut add));
}

fn push(folded: &mut String, character: char) {
    if character.is_whitespace() || character.is_control() {
        if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    } else {
        folded.push(character);
    }
}

fn finish(mut folded: String) -> String {
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}
