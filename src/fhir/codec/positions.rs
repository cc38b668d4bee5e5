//! Where each element stands in a JSON or XML text, so that `kith validate` can name the line of an issue.

use quick_xml::events::Event;

use super::Place;
use super::json::Scanner;

/// The places of all elements of one resource.
#[derive(Debug)]
pub struct Positions {
    root: Node,
    line_starts: Vec<usize>,
    text: String,
}

/// An element; items of an array and repetitions in XML are nodes of the same name.
#[derive(Debug, Default)]
struct Node {
    name: String,
    offset: usize,
    children: Vec<Self>,
}

/// Deeper elements are not recorded: the reader refuses such texts anyway.
const DEPTH: usize = 256;

impl Positions {
    /// Reads the places from a JSON text. What cannot be read is left out.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut root = Node::default();
        let mut scanner = Scanner::new(&text);
        scanner.position = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
        json_value(&mut scanner, &mut root, DEPTH);
        Self::new(root, text)
    }

    /// Reads the places from an XML text. What cannot be read is left out.
    #[must_use]
    pub fn of_xml(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let root = xml_root(&text);
        Self::new(root, text)
    }

    fn new(root: Node, text: String) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1)).collect();
        Self { root, line_starts, text }
    }

    /// The place of the element that a FHIRPath expression such as `Patient.name[0].given[1]` names, or of the nearest
    /// element around it that the text has. `value`, `valueQuantity` and `value.ofType(Quantity)` find the same element.
    #[must_use]
    pub fn find(&self, expression: &str) -> Place {
        let mut node = &self.root;
        for segment in expression.split('.').skip(1).filter(|segment| !segment.contains('(')) {
            let (name, index) = match segment.split_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(0)),
                None => (segment, 0),
            };
            match node.child(name, index) {
                Some(child) => node = child,
                None => break,
            }
        }
        self.place(node.offset)
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place { line, column }
    }
}

impl Node {
    /// The item at `index` of the child `name`; a choice is found by the name before its type, and `_name` stands in for a
    /// primitive without a value.
    fn child(&self, name: &str, index: usize) -> Option<&Self> {
        let named = |wanted: fn(&str, &str) -> bool| {
            self.children.iter().filter(move |child| wanted(&child.name, name)).nth(index)
        };
        named(|own, name| own == name)
            .or_else(|| {
                named(|own, name| own.strip_prefix(name).is_some_and(|rest| rest.starts_with(char::is_uppercase)))
            })
            .or_else(|| named(|own, name| own.strip_prefix('_') == Some(name)))
    }
}

/// Reads a value into `node`. None where the text is not JSON.
fn json_value(scanner: &mut Scanner<'_>, node: &mut Node, depth: usize) -> Option<()> {
    match scanner.peek()? {
        b'{' => {
            node.offset = scanner.position;
            json_object(scanner, node, depth.checked_sub(1)?)
        }
        b'"' => scanner.string("").ok().map(|_| ()),
        b'-' | b'0'..=b'9' => scanner.number().ok().map(|_| ()),
        _ => ["true", "false", "null"].iter().any(|word| scanner.word(word).is_ok()).then_some(()),
    }
}

fn json_object(scanner: &mut Scanner<'_>, node: &mut Node, depth: usize) -> Option<()> {
    scanner.take(b'{');
    while !scanner.take(b'}') {
        scanner.peek()?;
        let offset = scanner.position;
        let name = scanner.string("").ok()?.into_owned();
        scanner.expect(b':', "").ok()?;
        json_member(scanner, node, &name, offset, depth)?;
        scanner.take(b',');
    }
    Some(())
}

/// A member: one node, or one node for each item of its array.
fn json_member(scanner: &mut Scanner<'_>, node: &mut Node, name: &str, offset: usize, depth: usize) -> Option<()> {
    let is_array = scanner.take(b'[');
    loop {
        let next = scanner.peek()?;
        if is_array && next == b']' {
            break;
        }
        let offset = if is_array { scanner.position } else { offset };
        let mut child = Node { name: name.to_owned(), offset, children: Vec::new() };
        let read = json_value(scanner, &mut child, depth);
        child.offset = offset;
        node.children.push(child);
        read?;
        if !is_array {
            return Some(());
        }
        scanner.take(b',');
    }
    scanner.take(b']');
    Some(())
}

/// Builds the tree of elements with an explicit stack; a resource inside `contained`, `resource` and the like is the same
/// node as the element around it, as in JSON.
fn xml_root(text: &str) -> Node {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut stack = vec![Node::default()];
    loop {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.local_name().as_ref().to_owned();
                stack.push(Node { name, offset, children: Vec::new() });
            }
            Ok(Event::Empty(start)) => {
                let name = start.local_name().as_ref().to_owned();
                adopt(&mut stack, Node { name, offset, children: Vec::new() });
            }
            Ok(Event::End(_)) => {
                if let Some(node) = stack.pop() {
                    adopt(&mut stack, node);
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    while stack.len() > 1 {
        if let Some(node) = stack.pop() {
            adopt(&mut stack, node);
        }
    }
    stack.pop().unwrap_or_default()
}

fn adopt(stack: &mut [Node], node: Node) {
    if let Some(parent) = stack.last_mut() {
        if node.name.starts_with(char::is_uppercase) {
            parent.children.extend(node.children);
        } else {
            parent.children.push(node);
        }
    }
}
