"""PyPI fhirclient (SMART on FHIR) against a running server: python fhirclient_client.py BASE"""

import requests
from fhirclient import client, server
from fhirclient.models.bundle import Bundle
from fhirclient.models.organization import Organization
from fhirclient.models.patient import Patient

from steps import BASE, RUN, bundle, patient, refused, same, step, verdict

smart = client.FHIRClient(settings={"app_id": "kith-tests", "api_base": BASE})
state = {}


@step("capabilities")
def capabilities():
    same(smart.prepare(), True, "readiness")
    same(smart.server.capabilityStatement.fhirVersion, "4.0.1", "fhirVersion")


@step("create and read")
def create():
    person = Patient(patient("one", gender="male"))
    state["person"] = Patient(person.create(smart.server))
    read = Patient.read(state["person"].id, smart.server)
    same(read.as_json(), state["person"].as_json(), "what is read")


@step("update")
def update():
    person = Patient.read(state["person"].id, smart.server)
    person.gender = "other"
    person.update(smart.server)
    same(Patient.read(person.id, smart.server).gender, "other", "gender")


@step("search with paging")
def search():
    for letter in "abc":
        Patient(patient("page", name=[{"family": letter}])).create(smart.server)
    found = Patient.where({"identifier": f"{RUN}-page", "_count": "2", "_sort": "family"}).perform_resources_iter(smart.server)
    same([match.name[0].family for match in found], ["a", "b", "c"], "families")


@step("conditional create")
def conditional_create():
    smart.server.session.headers["If-None-Exist"] = f"identifier=https://kith.example/clients|{RUN}-conditional"
    try:
        Patient(patient("conditional")).create(smart.server)
        Patient(patient("conditional")).create(smart.server)
    finally:
        del smart.server.session.headers["If-None-Exist"]
    same(len(list(Patient.where({"identifier": f"{RUN}-conditional"}).perform_resources_iter(smart.server))), 1, "matches")


@step("transaction and references")
def transaction():
    answer = Bundle(smart.server.post_json(BASE, Bundle(bundle()).as_json()).json())
    same([entry.response.status[:3] for entry in answer.entry], ["201", "201"], "statuses")
    person = next(iter(Patient.where({"identifier": f"{RUN}-bundle"}).perform_resources_iter(smart.server)))
    same(person.managingOrganization.resolved(Organization).name, "Practice", "the organisation")


@step("patch")
def patch():
    headers = {"Content-Type": "application/json-patch+json"}
    body = [{"op": "replace", "path": "/gender", "value": "female"}]
    answer = smart.server.session.patch(f"{BASE}/Patient/{state['person'].id}", json=body, headers=headers)
    same((answer.status_code, Patient(answer.json()).gender), (200, "female"), "status, gender")


@step("errors")
def errors():
    refused(server.FHIRNotFoundException, lambda: Patient.read(f"never-{RUN}", smart.server))
    content = patient("bad", managingOrganization={"reference": "#nothing"})
    invalid = refused(requests.HTTPError, lambda: Patient(content).create(smart.server))
    same(invalid.response.json()["resourceType"], "OperationOutcome", "type")


@step("delete")
def delete():
    state["person"].delete(smart.server)
    gone = refused(requests.HTTPError, lambda: Patient.read(state["person"].id, smart.server))
    same(gone.response.status_code, 410, "status")


verdict()
