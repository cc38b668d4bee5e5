//! What each client should see, worked out from the raw resources by a few loops and no search engine: the other half of the
//! property test.

use serde_json::Value;

use super::world::ORGANISATIONS;

/// Labels that hide a resource from a role (`access::visibility::labels` has the same as a table).
const HIDDEN: [(&str, &[&str]); 2] = [("R", &["provider"]), ("V", &["provider", "link-worker"])];

/// Everything there is, and who looks at it.
pub struct Model<'a> {
    pub all: &'a [Value],
    pub organisation: &'a str,
    pub role: &'a str,
}

pub fn name(resource: &Value) -> String {
    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap())
}

fn is(resource: &Value, kind: &str) -> bool {
    resource["resourceType"] == kind
}

fn refers(reference: &Value, target: &Value) -> bool {
    reference["reference"] == *name(target)
}

fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

impl Model<'_> {
    /// What is seen: the ways there are, without what the patient objects to or a label hides.
    pub fn sees(&self, resource: &Value) -> bool {
        self.reaches(resource) && !self.objected(resource) && !self.hidden(resource)
    }

    /// What ways lead to, whatever consent and labels say.
    pub fn reaches(&self, resource: &Value) -> bool {
        match resource["resourceType"].as_str().unwrap() {
            "Organization" | "HealthcareService" | "PractitionerRole" | "Practitioner" => true,
            "Task" => self.task(resource),
            "ServiceRequest" => self.request(resource),
            "Patient" => self.patient(resource),
            "Observation" | "QuestionnaireResponse" | "Consent" => self.clinical(resource),
            _ => false,
        }
    }

    fn holds(&self) -> bool {
        matches!(self.role, "provider" | "link-worker")
    }

    fn asks(&self) -> bool {
        matches!(self.role, "referrer" | "link-worker")
    }

    /// True where a Reference means the organisation, one of its services or its people.
    fn mine(&self, reference: &Value) -> bool {
        let (_, code) = ORGANISATIONS.iter().find(|(id, _)| *id == self.organisation).unwrap();
        let own = format!("Organization/{}", self.organisation);
        let belongs = |resource: &&Value| {
            let by = ["providedBy", "organization"].iter().any(|element| resource[element]["reference"] == *own);
            (is(resource, "HealthcareService") || is(resource, "PractitionerRole")) && by
        };
        let people = self.all.iter().filter(belongs).any(|resource| {
            refers(reference, resource)
                || (is(resource, "PractitionerRole") && reference["reference"] == resource["practitioner"]["reference"])
        });
        reference["reference"] == *own || reference["identifier"]["value"] == **code || people
    }

    fn claimable(&self, task: &Value) -> bool {
        let recipients = list(&task["restriction"]["recipient"]);
        let open = recipients.is_empty() || recipients.into_iter().any(|recipient| self.mine(recipient));
        self.holds() && task.get("owner").is_none() && task["status"] == "requested" && open
    }

    fn brings(&self, task: &Value) -> bool {
        let over = ["draft", "rejected", "entered-in-error"].iter().any(|status| task["status"] == *status);
        self.claimable(task) || (self.holds() && self.mine(&task["owner"]) && !over)
    }

    fn asked(&self, request: &Value) -> bool {
        let own = |request: &Value| self.mine(&request["requester"]);
        let bases = list(&request["basedOn"]);
        let is_own = |other: &&Value| is(other, "ServiceRequest") && own(other);
        self.asks()
            && (own(request)
                || self.all.iter().filter(is_own).any(|other| bases.iter().any(|base| refers(base, other))))
    }

    fn task(&self, task: &Value) -> bool {
        let focus = self.all.iter().find(|resource| refers(&task["focus"], resource));
        let part = |whole: &&Value| {
            let asked = self.all.iter().any(|other| refers(&whole["focus"], other) && self.mine(&other["requester"]));
            let owns = self.mine(&whole["requester"])
                || (self.mine(&whole["owner"])
                    && !["draft", "rejected", "entered-in-error"].iter().any(|s| whole["status"] == *s));
            is(whole, "Task") && (owns || asked)
        };
        (self.holds() && self.mine(&task["owner"]) && task["status"] != "draft")
            || self.claimable(task)
            || (self.asks()
                && (self.mine(&task["requester"])
                    || focus.is_some_and(|focus| self.asked(focus))
                    || self
                        .all
                        .iter()
                        .filter(part)
                        .any(|whole| list(&task["partOf"]).iter().any(|part| refers(part, whole)))))
    }

    fn request(&self, request: &Value) -> bool {
        let mut tasks = self.all.iter().filter(|task| is(task, "Task") && refers(&task["focus"], request));
        self.asked(request) || (self.holds() && tasks.any(|task| self.brings(task)))
    }

    fn patient(&self, patient: &Value) -> bool {
        let brought = |task: &Value| {
            let of_focus = |request: &Value| refers(&task["focus"], request) && refers(&request["subject"], patient);
            self.brings(task) && (refers(&task["for"], patient) || self.all.iter().any(of_focus))
        };
        let asked = |request: &Value| {
            is(request, "ServiceRequest") && refers(&request["subject"], patient) && self.mine(&request["requester"])
        };
        (self.holds() && self.all.iter().any(|task| is(task, "Task") && brought(task)))
            || (self.asks() && (self.all.iter().any(asked) || self.mine(&patient["managingOrganization"])))
    }

    fn clinical(&self, resource: &Value) -> bool {
        let handed = |task: &Value| {
            let parts = ["input", "output"].iter().flat_map(|name| list(&task[name]));
            let seen = if self.role == "provider" { self.brings(task) } else { self.task(task) };
            is(task, "Task") && seen && parts.into_iter().any(|part| refers(&part["valueReference"], resource))
        };
        let supported = |request: &Value| {
            let parts = ["supportingInfo", "reasonReference"].iter().flat_map(|name| list(&request[name]));
            is(request, "ServiceRequest")
                && parts.into_iter().any(|part| refers(part, resource))
                && self.request(request)
        };
        let based = |request: &Value| {
            let says = self.asks() || is(resource, "QuestionnaireResponse");
            let bases = list(&resource["basedOn"]);
            is(request, "ServiceRequest")
                && says
                && bases.into_iter().any(|base| refers(base, request))
                && self.request(request)
        };
        let of_patient = |patient: &Value| {
            let consent = is(resource, "Consent") && self.asks() && is(patient, "Patient");
            consent && refers(&resource["patient"], patient) && self.patient(patient)
        };
        self.all.iter().any(|other| handed(other) || supported(other) || based(other) || of_patient(other))
    }

    /// Every Patient that is the same person as the one with this name, by NHS number or link, over any number of steps.
    pub fn persons(&self, name_of: &str) -> Vec<String> {
        let mut found = vec![name_of.to_owned()];
        let mut at = 0;
        while at < found.len() {
            let patients = || self.all.iter().filter(|resource| is(resource, "Patient"));
            let one = patients().find(|patient| name(patient) == found[at]).cloned().unwrap_or_default();
            let joined = |from: &Value, to: &Value| list(&from["link"]).iter().any(|link| refers(&link["other"], to));
            for other in patients() {
                let same = other["identifier"][0]["value"] == one["identifier"][0]["value"];
                if (same || joined(&one, other) || joined(other, &one)) && !found.contains(&name(other)) {
                    found.push(name(other));
                }
            }
            at += 1;
        }
        found
    }

    fn objected(&self, resource: &Value) -> bool {
        let patient = match resource["resourceType"].as_str().unwrap() {
            "Patient" => name(resource),
            "Task" => resource["for"]["reference"].as_str().unwrap_or_default().to_owned(),
            _ => ["subject", "patient"]
                .iter()
                .find_map(|element| resource[element]["reference"].as_str())
                .unwrap_or_default()
                .to_owned(),
        };
        let persons = self.persons(&patient);
        let of_them = |consent: &&Value| persons.iter().any(|name| consent["patient"]["reference"] == **name);
        self.all.iter().filter(|consent| is(consent, "Consent") && of_them(consent)).any(|consent| {
            let provision = &consent["provision"];
            let actors = list(&provision["actor"]);
            let named = actors.iter().any(|actor| self.mine(&actor["reference"]));
            let excepted = list(&provision["provision"])
                .iter()
                .flat_map(|nested| list(&nested["actor"]))
                .any(|actor| self.mine(&actor["reference"]));
            let denies = consent["status"] == "active" && provision["type"] == "deny";
            denies
                && !excepted
                && match self.role {
                    "provider" => actors.is_empty() || named,
                    "link-worker" => named,
                    _ => false,
                }
        })
    }

    fn hidden(&self, resource: &Value) -> bool {
        let labels = list(&resource["meta"]["security"]);
        labels
            .into_iter()
            .any(|label| HIDDEN.iter().any(|(code, roles)| label["code"] == *code && roles.contains(&self.role)))
    }
}
