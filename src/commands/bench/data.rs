//! The made-up referrals themselves: any resource can be asked for by its number.

use serde_json::{Value, json};

use super::random::Random;
use super::words;
use crate::fhir::temporal::format_instant;
use crate::referral::codes::{
    NHS_NUMBER, ODS_ORGANISATION, REFERRAL_PROFILE, REFERRAL_TASK_PROFILE, REFERRAL_TO_SOCIAL_PRESCRIBING, SNOMED,
    TASK_PARAMETER,
};

/// Organisations in every set of data: surgeries that refer and providers that are referred to.
pub const ORGANISATIONS: u32 = 300;
/// How many of them are providers.
pub const PROVIDERS: u32 = 80;
const SURGERIES: u32 = ORGANISATIONS - PROVIDERS;

const PROVIDER_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-provider";
const PATIENT_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-patient";
const CHARITY_NUMBER: &str = "https://kith.example/fhir/Id/charity-number";

/// 2024-07-01T08:00:00Z in seconds, when the first referral is made; the last is made two years later.
const BEGIN: u64 = 1_719_820_800;
const TWO_YEARS: u64 = 730 * 86_400;

/// How often each Task.status occurs among a hundred, and the ServiceRequest.status that goes with it.
const STATUSES: &[((&str, &str), u64)] = &[
    (("draft", "draft"), 1),
    (("requested", "active"), 20),
    (("received", "active"), 8),
    (("accepted", "active"), 10),
    (("in-progress", "active"), 15),
    (("on-hold", "on-hold"), 4),
    (("completed", "completed"), 30),
    (("rejected", "active"), 5),
    (("failed", "active"), 2),
    (("cancelled", "revoked"), 4),
    (("entered-in-error", "entered-in-error"), 1),
];

/// A set of made-up referrals.
#[derive(Debug, Clone, Copy)]
pub struct Data {
    seed: u64,
    referrals: u32,
}

/// Who takes part in a referral, and how far it has come.
struct Referral {
    random: Random,
    patient: u32,
    surgery: u32,
    provider: u32,
    authored: String,
    status: (&'static str, &'static str),
}

impl Data {
    /// The set of `referrals` referrals that `seed` makes.
    #[must_use]
    pub const fn new(seed: u64, referrals: u32) -> Self {
        Self { seed, referrals }
    }

    /// How many patients there are.
    #[must_use]
    pub const fn patients(&self) -> u32 {
        self.referrals.div_ceil(5)
    }

    /// Resource types with their resources; what is referred to comes first.
    #[must_use]
    pub fn types(&self) -> [(&'static str, Box<dyn Iterator<Item = Value> + '_>); 4] {
        [
            ("Organization", Box::new((0..ORGANISATIONS).map(|number| self.organisation(number)))),
            ("Patient", Box::new((0..self.patients()).map(|number| self.patient(number)))),
            ("ServiceRequest", Box::new((0..self.referrals).map(|number| self.request(number)))),
            ("Task", Box::new((0..self.referrals).map(|number| self.task(number)))),
        ]
    }

    /// An organisation; the first ones are surgeries, the last [`PROVIDERS`] are providers.
    #[must_use]
    pub fn organisation(&self, number: u32) -> Value {
        let mut random = Random::of(self.seed, 1, u64::from(number));
        let town = random.choose(words::TOWNS, "Thornby");
        let surgery = number < SURGERIES;
        let kind = random.choose(if surgery { words::SURGERY_KINDS } else { words::PROVIDER_KINDS }, "Surgery");
        let street = random.choose(words::STREETS, "High Street");
        let identifier = if surgery {
            json!({ "system": ODS_ORGANISATION, "value": format!("Z{:05}", 90_000 + number) })
        } else {
            json!({ "system": CHARITY_NUMBER, "value": (1_900_000 + number).to_string() })
        };
        json!({
            "resourceType": "Organization", "id": organisation_id(number), "meta": { "profile": [PROVIDER_PROFILE] },
            "identifier": [identifier], "active": true, "name": format!("{town} {street} {kind} {number}"),
            "telecom": [{ "system": "phone", "value": phone("01632 960", &mut random), "use": "work" }],
            "address": [{ "line": [format!("{} {street}", 1 + random.below(90))], "city": town, "postalCode": "ZZ99 3WZ" }]
        })
    }

    /// A patient.
    #[must_use]
    pub fn patient(&self, number: u32) -> Value {
        let mut random = Random::of(self.seed, 2, u64::from(number));
        let female = random.below(100) < 62;
        let given = random.choose(if female { words::WOMEN } else { words::MEN }, "Alex");
        let family = random.choose(words::FAMILIES, "Smith");
        let (year, month, day) = (1930 + random.below(75), 1 + random.below(12), 1 + random.below(28));
        let verified = json!({
            "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
            "valueCodeableConcept": { "coding": [{
                "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland",
                "code": "01", "display": "Number present and verified"
            }] }
        });
        json!({
            "resourceType": "Patient", "id": patient_id(number), "meta": { "profile": [PATIENT_PROFILE] },
            "identifier": [{ "extension": [verified], "system": NHS_NUMBER, "value": nhs_number(number) }],
            "active": true, "name": [{ "use": "official", "family": family, "given": [given] }],
            "telecom": [{ "system": "phone", "value": phone("07700 900", &mut random), "use": "mobile" }],
            "gender": if female { "female" } else { "male" }, "birthDate": format!("{year}-{month:02}-{day:02}"),
            "address": [{ "use": "home",
                "line": [format!("{} {}", 1 + random.below(120), random.choose(words::STREETS, "High Street"))],
                "city": random.choose(words::TOWNS, "Thornby"), "postalCode": "ZZ99 3WZ" }],
            "managingOrganization": { "reference": organisation(number % SURGERIES) }
        })
    }

    /// What is asked for.
    #[must_use]
    pub fn request(&self, number: u32) -> Value {
        let mut referral = self.referral(number);
        let urgent = referral.random.below(100) < 7;
        json!({
            "resourceType": "ServiceRequest", "id": request_id(number), "meta": { "profile": [REFERRAL_PROFILE] },
            "status": referral.status.1, "intent": "order", "priority": if urgent { "urgent" } else { "routine" },
            "code": { "coding": [{ "system": SNOMED, "code": REFERRAL_TO_SOCIAL_PRESCRIBING,
                "display": "Referral to social prescribing service" }] },
            "subject": { "reference": format!("Patient/{}", patient_id(referral.patient)) },
            "authoredOn": referral.authored,
            "requester": { "reference": organisation(referral.surgery) },
            "performer": [{ "reference": organisation(SURGERIES + referral.provider) }],
            "note": [{ "text": referral.random.choose(words::NEEDS, "Would like company.") }]
        })
    }

    /// To whom it was sent and how far it has come.
    #[must_use]
    pub fn task(&self, number: u32) -> Value {
        let mut referral = self.referral(number);
        let status = referral.status.0;
        let mut task = json!({
            "resourceType": "Task", "id": task_id(number), "meta": { "profile": [REFERRAL_TASK_PROFILE] },
            "identifier": [{ "use": "official", "system": "https://referrals.example/tasks", "value": format!("T-{number:07}") }],
            "status": status, "intent": "order",
            "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill" }] },
            "focus": { "reference": format!("ServiceRequest/{}", request_id(number)) },
            "for": { "reference": format!("Patient/{}", patient_id(referral.patient)) },
            "authoredOn": referral.authored,
            "requester": { "reference": organisation(referral.surgery) },
            "owner": { "reference": organisation(SURGERIES + referral.provider) }
        });
        let reasons = match status {
            "on-hold" => words::HOLDS,
            "rejected" => words::REJECTIONS,
            "failed" => words::FAILURES,
            "cancelled" => words::WITHDRAWALS,
            _ => &[],
        };
        if !reasons.is_empty() {
            task["statusReason"] = json!({ "text": referral.random.choose(reasons, "Not known.") });
        }
        if status == "completed" {
            let outcome = json!({ "coding": [{ "system": TASK_PARAMETER, "code": "outcome" }], "text": "Outcome" });
            let text = referral.random.choose(words::OUTCOMES, "Attended.");
            task["output"] = json!([{ "type": outcome, "valueString": text }]);
        }
        task
    }

    fn referral(&self, number: u32) -> Referral {
        let mut random = Random::of(self.seed, 3, u64::from(number));
        let patient = number % self.patients();
        let step = TWO_YEARS / u64::from(self.referrals);
        let seconds = BEGIN + u64::from(number) * step + random.below(step.max(1));
        Referral {
            patient,
            surgery: patient % SURGERIES,
            provider: u32::try_from(random.below(u64::from(PROVIDERS))).unwrap_or_default(),
            authored: format_instant(i64::try_from(seconds).unwrap_or_default() * 1_000_000),
            status: random.weighted(STATUSES, ("requested", "active")),
            random,
        }
    }
}

fn organisation_id(number: u32) -> String {
    format!("organisation-{number:03}")
}

fn organisation(number: u32) -> String {
    format!("Organization/{}", organisation_id(number))
}

fn patient_id(number: u32) -> String {
    format!("patient-{number:06}")
}

fn request_id(number: u32) -> String {
    format!("request-{number:07}")
}

fn task_id(number: u32) -> String {
    format!("task-{number:07}")
}

fn phone(range: &str, random: &mut Random) -> String {
    format!("{range}{:03}", random.below(1000))
}

/// A number of the range 999, which is never given to anybody, with its check digit
/// (<https://www.datadictionary.nhs.uk/attributes/nhs_number.html>). About one serial in eleven has none and is skipped.
fn nhs_number(number: u32) -> String {
    // Of ten serials that differ in the last digit at most one has no check digit: eleven in a row give nine or more.
    let (block, place) = (number / 9, number % 9);
    let valid = (0..11).filter_map(|serial| checked(block * 11 + serial)).nth(place as usize);
    valid.unwrap_or_default()
}

fn checked(serial: u32) -> Option<String> {
    let digits = format!("999{serial:06}");
    let sum: u32 = digits.bytes().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    match 11 - sum % 11 {
        10 => None,
        11 => Some(format!("{digits}0")),
        check => Some(format!("{digits}{check}")),
    }
}
