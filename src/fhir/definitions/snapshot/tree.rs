//! Elements as a tree: children below their element, slices beside it.

use crate::fhir::definitions::model::ElementDefinition;

/// An element with what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) element: ElementDefinition,
    /// Child elements in order.
    pub(super) children: Vec<Node>,
    /// Slices of this element in order; the slices of a slice are its re-slices.
    pub(super) slices: Vec<Node>,
}

impl Node {
    pub(super) const fn leaf(element: ElementDefinition) -> Self {
        Self { element, children: Vec::new(), slices: Vec::new() }
    }

    /// The tree of a snapshot; `None` where there are no elements.
    pub(super) fn from_elements(elements: &[ElementDefinition]) -> Option<Self> {
        let (first, rest) = elements.split_first()?;
        let mut root = Self::leaf(first.clone());
        for element in rest {
            root.insert(element.clone());
        }
        Some(root)
    }

    /// Adds an element below the node that its id belongs to. Elements come in order, so that is always the last one open.
    fn insert(&mut self, element: ElementDefinition) {
        let home = self.children.last_mut().filter(|last| last.holds(&element.id));
        match home {
            Some(last) => last.insert_beside(element),
            None => self.children.push(Self::leaf(element)),
        }
    }

    fn insert_beside(&mut self, element: ElementDefinition) {
        if let Some(last) = self.slices.last_mut().filter(|last| last.holds(&element.id)) {
            return last.insert_beside(element);
        }
        let rest = element.id.get(self.element.id.len()..).unwrap_or_default();
        if rest.starts_with('.') { self.insert(element) } else { self.slices.push(Self::leaf(element)) }
    }

    /// True where the id is below this element or one of its slices.
    fn holds(&self, id: &str) -> bool {
        id.strip_prefix(self.element.id.as_str()).is_some_and(|rest| rest.starts_with(['.', ':', '/']))
    }

    /// The elements in the order of a snapshot.
    pub(super) fn flatten(self) -> Vec<ElementDefinition> {
        let mut elements = Vec::new();
        self.flatten_into(&mut elements);
        elements
    }

    fn flatten_into(self, elements: &mut Vec<ElementDefinition>) {
        elements.push(self.element);
        for node in self.children.into_iter().chain(self.slices) {
            node.flatten_into(elements);
        }
    }

    /// Gives this node a new id and path, and moves everything below along.
    pub(super) fn rename(&mut self, id: &str, path: &str) {
        let (old_id, old_path) = (self.element.id.len(), self.element.path.len());
        self.move_below(old_id, id, old_path, path);
    }

    fn move_below(&mut self, old_id: usize, id: &str, old_path: usize, path: &str) {
        let element = &mut self.element;
        element.id = format!("{id}{}", element.id.get(old_id..).unwrap_or_default());
        element.path = format!("{path}{}", element.path.get(old_path..).unwrap_or_default());
        for node in self.children.iter_mut().chain(&mut self.slices) {
            node.move_below(old_id, id, old_path, path);
        }
    }

    pub(super) fn count(&self) -> usize {
        1 + self.children.iter().chain(&self.slices).map(Self::count).sum::<usize>()
    }

    /// The place among the children of the element with this name.
    pub(super) fn child(&self, name: &str) -> Option<usize> {
        self.children.iter().position(|child| child.element.name() == name)
    }

    /// The place among the slices of the slice with this name.
    pub(super) fn slice(&self, name: &str) -> Option<usize> {
        self.slices.iter().position(|slice| slice.element.slice_name.as_deref() == Some(name))
    }

    /// The node with this id, at or below this one.
    pub(super) fn find(&self, id: &str) -> Option<&Self> {
        if self.element.id == id {
            return Some(self);
        }
        self.children.iter().chain(&self.slices).find(|node| node.element.id == id || node.holds(id))?.find(id)
    }
}
