//! How facts look in a file: one compact line for the large packages, a narrow indented form for files people edit.

use std::fmt::Write as _;

use serde_json::Value;

/// Longest value that stays on one line of the indented form.
const WIDTH: usize = 140;

/// The definition on one line, without a line end.
#[must_use]
pub fn compact_line(value: &Value) -> String {
    value.to_string()
}

/// The definition indented by two spaces, short values kept on one line, with a line end. The first line below the brace
/// is `resourceType` and the second `url`, which is how the registry finds it without parsing.
#[must_use]
pub fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text.push('\n');
    text
}

fn write_value(text: &mut String, value: &Value, depth: usize) {
    if depth > 0 {
        let flat = spaced(value);
        if flat.len() + depth * 2 <= WIDTH {
            text.push_str(&flat);
            return;
        }
    }
    match value {
        Value::Object(fields) => {
            let lines = fields.iter().map(|(name, value)| (Some(name.as_str()), value));
            write_block(text, ('{', '}'), lines, depth);
        }
        Value::Array(items) => write_block(text, ('[', ']'), items.iter().map(|item| (None, item)), depth),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_block<'a>(
    text: &mut String,
    (open, close): (char, char),
    lines: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
    depth: usize,
) {
    text.push(open);
    let mut first = true;
    for (name, value) in lines {
        text.push_str(if first { "\n" } else { ",\n" });
        first = false;
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            let _ = write!(text, "{}: ", Value::from(name));
        }
        write_value(text, value, depth + 1);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

/// One line with a space after each colon and comma.
fn spaced(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), spaced(value)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}
