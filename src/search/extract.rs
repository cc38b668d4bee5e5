//! Index rows of a resource: every search parameter of its type, run over the JSON. Called before the write transaction by the
//! write path; never fails, since what is odd is left out and the rest is still found.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use crate::fhir::types::Types;
use crate::fhirpath::{Context, Expression, Item, Limits};
use crate::search::index::{ComponentRow, IndexRows};
use crate::search::kinds::composite::rows_of;
use crate::search::kinds::{Shape, Sink, words};
use crate::search::parameters::{Group, Parameter, Registry, Source, shape_of};
use crate::search::references;

/// Bounds of one expression: the expressions of search parameters are short, and this is the path of every write.
const LIMITS: Limits = Limits { steps: 100_000, items: 10_000, text: 65_536 };

/// Extracts index rows.
#[derive(Debug, Clone)]
pub struct Extractor {
    registry: Arc<Registry>,
    base: Arc<str>,
}

impl Extractor {
    /// An extractor for a server at `base` (a URL such as `https://kith.example/fhir`): references below it are local ones.
    #[must_use]
    pub fn new(registry: Arc<Registry>, base: &str) -> Self {
        Self { registry, base: base.trim_end_matches('/').into() }
    }

    /// The rows of `resource`; none if it has no known type.
    #[must_use]
    pub fn extract(&self, resource: &Value) -> IndexRows {
        let mut rows = IndexRows::default();
        let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let Some(parameters) = self.registry.of_type(resource_type) else { return rows };
        rows.generation = self.registry.generation(resource_type);
        for parameter in parameters.iter() {
            let mut sink = Sink { rows: &mut rows, codes: &parameter.codes, base: &self.base };
            match parameter.code() {
                "_text" => words::index_narrative(resource, &mut sink),
                "_content" => words::index_content(resource, &mut sink),
                _ if parameter.groups.is_empty() => self.extract_parameter(parameter, resource, &mut rows),
                _ => self.extract_composite(parameter, resource, &mut rows),
            }
        }
        references::add_rows(resource, &self.base, &mut rows);
        rows
    }

    /// Elements are numbered through; one that lacks a component has no rows.
    fn extract_composite(&self, parameter: &Parameter, resource: &Value, rows: &mut IndexRows) {
        let mut ordinal = 0;
        for group in &parameter.groups {
            let mut element = |item: Item<'_>| {
                let found = self.components(parameter, group, resource, &item, ordinal);
                rows.components.extend(found.unwrap_or_default());
                ordinal += 1;
            };
            match &group.elements {
                Source::Walk(walk, _) => {
                    walk.run(resource, resource, &mut |value| element(Item::node(value, walk.end)));
                }
                Source::Expression(expression) => {
                    each_item(expression, resource, Item::resource(resource, Types::r4()), &mut element);
                }
            }
        }
    }

    /// The rows of the components of one element; none where one of them has no value.
    fn components(
        &self,
        composite: &Parameter,
        group: &Group,
        resource: &Value,
        element: &Item<'_>,
        ordinal: i64,
    ) -> Option<Vec<ComponentRow>> {
        let mut all = Vec::new();
        for (part, sources) in composite.parts.iter().zip(&group.components) {
            let mut rows = IndexRows::default();
            let mut sink = Sink { rows: &mut rows, codes: &part.codes, base: &self.base };
            for source in sources {
                match (source, element) {
                    (Source::Walk(walk, shape), Item::Node(node)) => {
                        walk.run(resource, node.value(), &mut |value| index(part, *shape, value, &mut sink));
                    }
                    (Source::Expression(expression), _) => {
                        each_item(expression, resource, element.clone(), &mut |item| {
                            index_item(part, &item, &mut sink);
                        });
                    }
                    _ => {}
                }
            }
            let found = rows_of(rows, &part.codes, ordinal);
            if found.is_empty() {
                return None;
            }
            all.extend(found);
        }
        Some(all)
    }

    fn extract_parameter(&self, parameter: &Parameter, resource: &Value, rows: &mut IndexRows) {
        let before = Counts::of(rows);
        let mut sink = Sink { rows, codes: &parameter.codes, base: &self.base };
        for source in &parameter.sources {
            match source {
                Source::Walk(walk, shape) => {
                    walk.run(resource, resource, &mut |value| index(parameter, *shape, value, &mut sink));
                }
                Source::Expression(expression) => {
                    let root = Item::resource(resource, Types::r4());
                    each_item(expression, resource, root, &mut |item| index_item(parameter, &item, &mut sink));
                }
            }
        }
        before.remove_doubles(rows);
    }
}

/// The value of an extension counts, not the extension.
fn index(parameter: &Parameter, shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    if shape != Shape::Extension {
        return parameter.kind.index(shape, value, sink);
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        if let Some(choice) = name.strip_prefix("value") {
            parameter.kind.index(Shape::named(choice), value, sink);
        }
    }
}

/// Runs an expression that is more than a walk. One that fails yields nothing.
fn each_item(expression: &Expression, resource: &Value, focus: Item<'_>, found: &mut dyn FnMut(Item<'_>)) {
    // An index must not depend on the time of indexing: now() is the epoch.
    let context = Context { limits: LIMITS, ..Context::new(resource, 0).with_typed_references() };
    let Ok(items) = expression.evaluate(&context, focus) else { return };
    items.into_iter().for_each(found);
}

fn index_item(parameter: &Parameter, item: &Item<'_>, sink: &mut Sink<'_>) {
    let shape = match item {
        Item::Node(node) => node.type_index().map_or(Shape::Other, |index| shape_of(index, Types::r4())),
        Item::Boolean(_) => Shape::Boolean,
        Item::Integer(_) | Item::Decimal(_) => Shape::Number,
        Item::Text(_) => Shape::Text,
        Item::Temporal(_) => Shape::Date,
        Item::Quantity(_) | Item::Type(_) => Shape::Other,
    };
    index(parameter, shape, &item.to_json(), sink);
}

/// How many rows there were before a parameter was run.
struct Counts([usize; 10]);

impl Counts {
    fn of(rows: &IndexRows) -> Self {
        Self(rows.counts())
    }

    /// Two elements may mean the same row, which is kept once.
    fn remove_doubles(&self, rows: &mut IndexRows) {
        let [tokens, strings, dates, numbers, quantities, references, uris, ..] = self.0;
        distinct(&mut rows.tokens, tokens, |a, b| {
            (&a.parameter, &a.code, &a.system).cmp(&(&b.parameter, &b.code, &b.system))
        });
        distinct(&mut rows.strings, strings, |a, b| {
            (&a.parameter, &a.folded, &a.exact).cmp(&(&b.parameter, &b.folded, &b.exact))
        });
        distinct(&mut rows.dates, dates, |a, b| (a.low, a.high).cmp(&(b.low, b.high)));
        distinct(&mut rows.numbers, numbers, |a, b| a.low.total_cmp(&b.low).then(a.high.total_cmp(&b.high)));
        distinct(&mut rows.quantities, quantities, |a, b| {
            let units = (&a.code, &a.system).cmp(&(&b.code, &b.system));
            units.then(a.low.total_cmp(&b.low)).then(a.high.total_cmp(&b.high))
        });
        distinct(&mut rows.references, references, |a, b| {
            (&a.target_id, &a.target_type).cmp(&(&b.target_id, &b.target_type))
        });
        distinct(&mut rows.uris, uris, |a, b| a.value.cmp(&b.value));
    }
}

fn distinct<T>(rows: &mut Vec<T>, start: usize, order: impl Fn(&T, &T) -> Ordering) {
    if rows.len() <= start + 1 {
        return;
    }
    if let Some(tail) = rows.get_mut(start..) {
        tail.sort_unstable_by(&order);
    }
    let mut position = 0;
    rows.dedup_by(|next, kept| {
        position += 1;
        position > start && order(next, kept) == Ordering::Equal
    });
}
