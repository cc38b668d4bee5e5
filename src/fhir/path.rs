//! Where in a resource the walk is: a linked list on the stack, written out as a FHIRPath expression only when an issue
//! needs it. Used by validation, codecs and extraction.

use std::fmt;

/// One step of the way from the root; each borrows its parent.
#[derive(Debug, Clone, Copy)]
pub enum Path<'a> {
    /// The resource or datatype at which the walk began, by type name.
    Root(&'a str),
    /// A named element below a parent.
    Element(&'a Path<'a>, &'a str),
    /// An item of a repeating element.
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    /// The path of a child element.
    #[must_use]
    pub const fn element(&'a self, name: &'a str) -> Self {
        Self::Element(self, name)
    }

    /// The path of the item at `index` (counted from 0, as FHIRPath does).
    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }

    /// The path of the element that holds this one; none at the root.
    #[must_use]
    pub const fn parent(&self) -> Option<&'a Self> {
        match self {
            Self::Root(_) => None,
            Self::Element(parent, _) | Self::Index(parent, _) => Some(parent),
        }
    }

    /// How many steps the path has; used to bound the depth.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::Root(_) => 1,
            Self::Element(parent, _) | Self::Index(parent, _) => parent.depth() + 1,
        }
    }

    /// The path as a FHIRPath expression.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(64);
        self.append(&mut text);
        text
    }

    fn append(&self, text: &mut String) {
        match self {
            Self::Root(name) => text.push_str(name),
            Self::Element(parent, name) => {
                parent.append(text);
                text.push('.');
                text.push_str(name);
            }
            Self::Index(parent, index) => {
                parent.append(text);
                text.push('[');
                match u8::try_from(*index) {
                    Ok(digit @ 0..=9) => text.push(char::from(b'0' + digit)),
                    _ => text.push_str(&index.to_string()),
                }
                text.push(']');
            }
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}
