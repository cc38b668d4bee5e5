//! Ten representative invariants of R4 on resources of ordinary size: `cargo bench --bench fhirpath`.
#![allow(clippy::unwrap_used, clippy::allow_attributes, missing_docs, reason = "a benchmark may fail loudly")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use kith::fhir::types::Types;
use kith::fhirpath::{Context, Expression, Item, Node};
use serde_json::{Value, json};

const DOM_3: &str = "contained.where((('#'+id in (%resource.descendants().reference | \
    %resource.descendants().as(canonical) | %resource.descendants().as(uri) | %resource.descendants().as(url))) or \
    descendants().where(reference = '#').exists() or descendants().where(as(canonical) = '#').exists() or \
    descendants().where(as(canonical) = '#').exists()).not()).trace('unmatched', id).empty()";

/// Name, path to the element in the Task, its type, expression.
const INVARIANTS: [(&str, &str, &str, &str); 12] = [
    ("ele-1", "/code", "CodeableConcept", "hasValue() or (children().count() > id.count())"),
    ("ele-1 on a primitive", "/status", "code", "hasValue() or (children().count() > id.count())"),
    ("ext-1", "/extension/0", "Extension", "extension.exists() != value.exists()"),
    ("per-1", "/executionPeriod", "Period", "start.hasValue().not() or end.hasValue().not() or (start <= end)"),
    ("tim-1", "/repeat", "Timing.repeat", "duration.empty() or durationUnit.exists()"),
    (
        "ref-1",
        "/focus",
        "Reference",
        "reference.startsWith('#').not() or (reference.substring(1).trace('url') in \
         %rootResource.contained.id.trace('ids'))",
    ),
    ("qty-3", "/quantity", "Quantity", "code.empty() or system.exists()"),
    ("dom-2", "", "Task", "contained.contained.empty()"),
    ("dom-6", "", "Task", "text.`div`.exists()"),
    ("inv-1", "", "Task", "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn"),
    (
        "que-1",
        "/item",
        "Questionnaire.item",
        "(type='group' implies item.empty().not()) and (type.trace('type')='display' implies item.trace('item').empty())",
    ),
    ("dom-3", "", "Task", DOM_3),
];

fn task() -> Value {
    json!({
        "resourceType": "Task", "id": "t1",
        "contained": [{ "resourceType": "Organization", "id": "org", "name": "A charity" }],
        "extension": [{ "url": "http://example.org/priority", "valueCode": "routine" }],
        "identifier": [{ "system": "http://example.org/ids", "value": "123" }],
        "basedOn": [{ "reference": "ServiceRequest/s1" }],
        "status": "requested", "intent": "order", "priority": "routine",
        "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill" }] },
        "focus": { "reference": "ServiceRequest/s1" }, "for": { "reference": "Patient/p1" },
        "executionPeriod": { "start": "2026-01-02", "end": "2026-03-04T10:00:00Z" },
        "authoredOn": "2026-01-02T10:00:00Z", "lastModified": "2026-01-03T11:30:00+01:00",
        "requester": { "reference": "Organization/o1" }, "owner": { "reference": "#org" },
        "note": [{ "text": "Prefers mornings." }],
        // Not of a Task: elements that some of the invariants are about.
        "repeat": { "frequency": 1, "period": 1, "periodUnit": "wk" },
        "quantity": { "value": 1.5, "unit": "h", "system": "http://unitsofmeasure.org", "code": "h" },
        "item": { "linkId": "1", "text": "How are you?", "type": "group", "item": [{ "linkId": "1.1", "type": "string" }] }
    })
}

fn invariants(criterion: &mut Criterion) {
    let task = task();
    let context = Context::new(&task, 1_795_255_200_000_000);
    for (name, pointer, type_, source) in INVARIANTS {
        let expression = Expression::compile(source).unwrap();
        let focus = Node::new(task.pointer(pointer).unwrap(), None, Types::r4().get(type_));
        assert!(expression.holds(&context, Item::Node(focus)).unwrap(), "{name}");
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| black_box(expression.holds(&context, Item::Node(black_box(focus)))));
        });
    }
    criterion.bench_function("make a context", |bencher| bencher.iter(|| black_box(Context::new(&task, 0))));
    criterion.bench_function("compile dom-3", |bencher| bencher.iter(|| black_box(Expression::compile(DOM_3))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots().sample_size(30)
        .warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1));
    targets = invariants
}
criterion_main!(benches);
