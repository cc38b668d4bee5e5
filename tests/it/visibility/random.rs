//! Random small worlds and random requests, the same for one seed.

use serde_json::{Value, json};

use super::world::{ORGANISATIONS, patient, request};

/// Numbers by xorshift.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn choose<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    fn organisation(&mut self) -> (&'static str, &'static str) {
        ORGANISATIONS[self.below(ORGANISATIONS.len())]
    }

    /// A Reference to an organisation, in one of the ways in which there are.
    fn party(&mut self) -> Value {
        let (id, code) = self.organisation();
        match self.below(5) {
            0 => json!({ "identifier": { "system": kith::access::ODS_SYSTEM, "value": code } }),
            1 => json!({ "reference": format!("PractitionerRole/role-{id}") }),
            2 => json!({ "reference": format!("Practitioner/person-{id}") }),
            _ => json!({ "reference": format!("Organization/{id}") }),
        }
    }

    fn labelled(&mut self, resource: &mut Value) {
        if self.one_in(6) {
            let code = self.choose(&["R", "V", "N"]);
            let system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
            resource["meta"] = json!({ "security": [{ "system": system, "code": code }] });
        }
    }
}

const PATIENTS: usize = 5;
/// Fewer would make one person of most patients, more of none.
const NHS_NUMBERS: [&str; 6] = ["9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069"];
const REQUESTS: usize = 7;
const TASKS: usize = 11;
const NOTES: usize = 8;

/// The resources of a world, in an order in which they can be stored.
pub fn resources(random: &mut Random) -> Vec<Value> {
    let mut all = Vec::new();
    for (id, _) in ORGANISATIONS {
        let organisation = json!({ "reference": format!("Organization/{id}") });
        all.push(json!({ "resourceType": "Practitioner", "id": format!("person-{id}") }));
        all.push(json!({
            "resourceType": "PractitionerRole", "id": format!("role-{id}"), "organization": organisation,
            "practitioner": { "reference": format!("Practitioner/person-{id}") },
        }));
    }
    for number in 0..PATIENTS {
        let mut patient = patient(&format!("p{number}"));
        patient["name"] = json!([{ "family": random.choose(&["Castle", "Ellery", "Quill"]) }]);
        patient["identifier"][0]["value"] = json!(random.choose(&NHS_NUMBERS));
        if random.one_in(5) && number > 0 {
            let other = json!({ "reference": format!("Patient/p{}", random.below(number)) });
            patient["link"] = json!([{ "other": other, "type": random.choose(&["seealso", "replaces"]) }]);
        }
        if random.one_in(3) {
            patient["managingOrganization"] =
                json!({ "reference": format!("Organization/{}", random.organisation().0) });
        }
        all.push(patient);
    }
    for number in 0..NOTES {
        let mut note = json!({
            "resourceType": "Observation", "id": format!("o{number}"), "status": "final", "code": { "text": "Wellbeing" },
            "subject": { "reference": format!("Patient/p{}", random.below(PATIENTS)) }, "valueInteger": number,
        });
        if random.one_in(2) {
            note["basedOn"] = json!([{ "reference": format!("ServiceRequest/r{}", random.below(REQUESTS)) }]);
        }
        random.labelled(&mut note);
        all.push(note);
    }
    all.extend((0..REQUESTS).map(|number| referral(random, number)));
    all.extend((0..TASKS).map(|number| task(random, number)));
    for number in 0..2 {
        all.push(consent(random, number));
    }
    all
}

fn referral(random: &mut Random, number: usize) -> Value {
    let mut found = request(&format!("r{number}"), &format!("p{}", random.below(PATIENTS)), "surgery");
    found["requester"] = random.party();
    found["status"] = json!(random.choose(&["active", "draft", "completed"]));
    if random.one_in(3) {
        found["supportingInfo"] = json!([{ "reference": format!("Observation/o{}", random.below(NOTES)) }]);
    }
    if random.one_in(4) && number > 0 {
        found["basedOn"] = json!([{ "reference": format!("ServiceRequest/r{}", random.below(number)) }]);
    }
    random.labelled(&mut found);
    found
}

fn task(random: &mut Random, number: usize) -> Value {
    let focus = format!("r{}", random.below(REQUESTS));
    let status = random.choose(&["requested", "requested", "accepted", "draft", "rejected", "completed"]);
    let mut task = super::world::task(&format!("t{number}"), (&focus, "p0"), "surgery", None, status);
    task["for"] = json!({ "reference": format!("Patient/p{}", random.below(PATIENTS)) });
    task["requester"] = random.party();
    if random.one_in(4) {
        if random.one_in(2) {
            task["restriction"] = json!({ "recipient": [random.party()] });
        }
    } else {
        task["owner"] = random.party();
    }
    if random.one_in(4) && number > 0 {
        task["partOf"] = json!([{ "reference": format!("Task/t{}", random.below(number)) }]);
    }
    for name in ["input", "output"] {
        if random.one_in(4) {
            let reference = format!("Observation/o{}", random.below(NOTES));
            task[name] = json!([{ "type": { "text": "answers" }, "valueReference": { "reference": reference } }]);
        }
    }
    task
}

fn consent(random: &mut Random, number: usize) -> Value {
    let mut provision = json!({ "type": random.choose(&["deny", "deny", "permit"]) });
    let actor = json!({ "role": { "text": "recipient" }, "reference": random.party() });
    match random.below(4) {
        0 | 1 => provision["actor"] = json!([actor]),
        2 => provision["provision"] = json!([{ "type": "permit", "actor": [actor] }]),
        _ => {}
    }
    json!({
        "resourceType": "Consent", "id": format!("c{number}"), "status": "active",
        "scope": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }] },
        "category": [{ "text": "sharing" }], "patient": { "reference": format!("Patient/p{}", random.below(PATIENTS)) },
        "policyRule": { "text": "sharing" }, "provision": provision,
    })
}

/// The name of some resource of the world, or of none.
fn some(random: &mut Random, kind: &str) -> String {
    let count = match kind {
        "Patient" => PATIENTS,
        "ServiceRequest" => REQUESTS,
        "Task" => TASKS,
        "Consent" => 2,
        _ => NOTES,
    };
    let letter = match kind {
        "Patient" => 'p',
        "ServiceRequest" => 'r',
        "Task" => 't',
        "Consent" => 'c',
        _ => 'o',
    };
    format!("{kind}/{letter}{}", random.below(count + 1))
}

const KINDS: [&str; 5] = ["Patient", "ServiceRequest", "Task", "Observation", "Consent"];

/// A request: method, path, body. `{Type}` in a template stands for the name of some resource of that type.
pub fn ask(random: &mut Random) -> (&'static str, String, Option<Value>) {
    let template = random.choose(READS);
    let mut path = template.to_owned();
    for kind in KINDS {
        while let Some(at) = path.find(&format!("{{{kind}}}")) {
            path.replace_range(at..at + kind.len() + 2, &some(random, kind));
        }
    }
    ("GET", path, None)
}

/// A request that would change something.
pub fn change(random: &mut Random) -> (&'static str, String, Option<Value>) {
    let patient = some(random, "Patient");
    let request = some(random, "ServiceRequest");
    let task = some(random, "Task");
    let note = some(random, "Observation");
    let (_, id) = task.split_once('/').unwrap();
    let subject = json!({ "reference": patient });
    let observation = json!({
        "resourceType": "Observation", "status": "final", "code": { "text": "Note" }, "subject": subject,
        "basedOn": [{ "reference": request }],
    });
    let own = json!({ "identifier": { "system": kith::access::ODS_SYSTEM, "value": random.choose(&["A10001", "C30001", "B20001"]) } });
    let sent = json!({
        "resourceType": "Task", "status": "requested", "intent": "order", "focus": { "reference": request }, "for": subject,
        "requester": own, "owner": { "reference": "Organization/kitchen" },
    });
    let entry = |method: &str, url: &str, resource: &Value| json!({ "fullUrl": format!("urn:uuid:{}", kith::clock::Clock::System.new_id()), "resource": resource, "request": { "method": method, "url": url } });
    match random.below(9) {
        0 => ("DELETE", random.choose(&[patient.as_str(), &request, &task, &note]).to_owned(), None),
        1 => ("POST", "Observation".to_owned(), Some(observation)),
        2 => ("POST", "Task".to_owned(), Some(sent)),
        3 => {
            let mut body = sent;
            body["id"] = json!(id);
            ("PUT", task.clone(), Some(body))
        }
        4 => (
            "PATCH",
            task.clone(),
            Some(json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
            { "name": "type", "valueCode": "replace" }, { "name": "path", "valueString": "Task.status" },
            { "name": "value", "valueCode": "accepted" }] }] })),
        ),
        5 => ("DELETE", format!("Observation?subject={patient}"), None),
        6 => (
            "POST",
            String::new(),
            Some(
                json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Observation", &observation)] }),
            ),
        ),
        7 => (
            "POST",
            String::new(),
            Some(json!({ "resourceType": "Bundle", "type": "batch", "entry": [
            { "request": { "method": "GET", "url": patient } }, { "request": { "method": "GET", "url": request } },
            { "request": { "method": "GET", "url": format!("Task?focus={request}") } }] })),
        ),
        _ => (
            "POST",
            format!("{task}/$meta-add"),
            Some(json!({ "resourceType": "Parameters", "parameter": [
            { "name": "meta", "valueMeta": { "tag": [{ "code": "seen" }] } }] })),
        ),
    }
}

const READS: &[&str] = &[
    "{Patient}",
    "{ServiceRequest}",
    "{Task}",
    "{Observation}",
    "{Consent}",
    "{Patient}/_history/1",
    "{Task}/_history/1",
    "{Task}/_history",
    "{ServiceRequest}/_history",
    "{Patient}/_history",
    "Patient",
    "ServiceRequest",
    "Task",
    "Observation",
    "Consent",
    "?_type=Task,Patient,Observation",
    "Patient?_summary=count",
    "Task?_summary=count",
    "Observation?_summary=count&value-quantity:missing=true",
    "Task?_total=accurate&_count=1&_sort=_id",
    "ServiceRequest?_total=accurate&_count=2&_sort=-_id",
    "Task?focus={ServiceRequest}",
    "Task?patient={Patient}",
    "ServiceRequest?subject={Patient}",
    "Observation?subject={Patient}",
    "Task?patient.name=Castle",
    "ServiceRequest?subject:Patient.family=Quill",
    "Observation?subject:Patient.name=Ellery",
    "Task?focus:ServiceRequest.subject:Patient.name=Castle",
    "ServiceRequest?requester:Organization.name=surgery",
    "Patient?_has:ServiceRequest:subject:status=active",
    "Patient?_has:Task:patient:status=requested",
    "ServiceRequest?_has:Task:focus:status=accepted",
    "Organization?_has:Task:owner:status=requested",
    "Organization?_has:ServiceRequest:requester:status=active",
    "Practitioner?_has:Task:owner:status=accepted",
    "Observation?based-on:ServiceRequest.status=active",
    "Observation?_has:Task:output-reference:status=completed",
    "Task?_include=Task:focus",
    "Task?_include=Task:patient&_include:iterate=ServiceRequest:subject",
    "Task?_include=*",
    "Patient?_revinclude=Task:patient",
    "Patient?_revinclude=*",
    "Organization?_revinclude=Task:owner",
    "Organization?_revinclude=ServiceRequest:requester&_summary=false",
    "ServiceRequest?_revinclude=Task:focus&_sort=status,_id",
    "Patient?_sort=family,_id",
    "Patient?_sort=-family,_id&_count=2",
    "Task?_sort=status,_id",
    "ServiceRequest?_sort=-status,_id",
    "Patient?_filter=name%20eq%20Castle",
    "Task?_filter=status%20eq%20requested",
    "ServiceRequest?status:not=active",
    "Patient?_id=p0,p1,p2",
    "Task?owner:missing=true",
    "Task?owner=Organization/walks",
    "Task?requester:identifier=A10001",
    "{Patient}/Observation",
    "{Patient}/Task",
    "{Patient}/*",
    "{Patient}/$everything",
    "{ServiceRequest}/$everything",
    "Patient/$everything",
    "{Patient}/$meta",
    "{Task}/$meta",
    "{Task}/_history/1/$meta",
    "{Patient}/$validate",
    "Patient?_lastUpdated=gt2020-01-01",
    "Observation?_security=R",
    "Task?_security:not=R",
    "Patient?_has:Consent:patient:status=active",
    "Consent?patient={Patient}",
    "Task?_tag=seen",
    "Observation?_elements=status",
    "Task?part-of={Task}",
    "_history",
    "_history?_count=3",
    "_history?_summary=count",
    "_history?_since=2020-01-01T00:00:00Z&_count=500",
    "Task/_history",
    "Task/_history?_count=1",
    "Patient/_history",
    "ServiceRequest/_history?_count=2",
    "Observation/_history?_count=2",
    "Observation/_history?_summary=count",
    "Consent/_history",
    "Organization/_history",
    "Provenance/_history",
    "$meta",
    "Task/$meta",
    "Observation/$meta",
    "Provenance/$meta",
];
