"""PyPI fhirpy against a running server: python fhirpy_client.py BASE"""

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from steps import BASE, RUN, bundle, patient, refused, same, step, verdict

client = SyncFHIRClient(BASE)
person = client.resource(**{"resource_type": "Patient", **{k: v for k, v in patient("one", gender="male").items() if k != "resourceType"}})


def resource(value, **more):
    """A patient as fhirpy makes it."""
    content = patient(value, **more)
    content.pop("resourceType")
    return client.resource("Patient", **content)


@step("create and read")
def create():
    person.save()
    read = client.reference("Patient", person.id).to_resource()
    same(read.serialize(), person.serialize(), "what is read")


@step("update")
def update():
    person["gender"] = "other"
    person.save()
    same(client.reference("Patient", person.id).to_resource()["gender"], "other", "gender")


@step("search with paging")
def search():
    for letter in "abc":
        resource("page", name=[{"family": letter}]).save()
    found = client.resources("Patient").search(identifier=f"{RUN}-page").sort("family").limit(2).fetch_all()
    same([match["name"][0]["family"] for match in found], ["a", "b", "c"], "families")
    same(client.resources("Patient").search(identifier=f"{RUN}-page").count(), 3, "count")
    same(client.resources("Patient").search(identifier=f"{RUN}-one").first().id, person.id, "id")


@step("inclusion")
def include():
    answer = client.execute("", data=bundle())
    same(answer["type"], "transaction-response", "type")
    found = client.resources("Patient").search(identifier=f"{RUN}-bundle").include("Patient", "organization").fetch_raw()
    same(sorted(entry["resource"]["resourceType"] for entry in found["entry"]), ["Organization", "Patient"], "entries")


@step("conditional create")
def conditional_create():
    matching = client.resources("Patient").search(identifier=f"https://kith.example/clients|{RUN}-conditional")
    first, created = matching.get_or_create(resource("conditional"))
    second, again = matching.get_or_create(resource("conditional"))
    same((created, again), (1, 0), "created")
    same(second.id, first.id, "id")


@step("conditional update")
def conditional_update():
    matching = client.resources("Patient").search(identifier=f"https://kith.example/clients|{RUN}-conditional")
    updated, created = matching.update(resource("conditional", active=True))
    same((updated["active"], created), (True, 0), "active, created")


@step("transaction")
def transaction():
    answer = client.execute("", data=bundle())
    same([entry["response"]["status"][:3] for entry in answer["entry"]], ["201", "201"], "statuses")


@step("patch")
def patch():
    replace = [("type", {"valueCode": "replace"}), ("path", {"valueString": "Patient.gender"}), ("value", {"valueCode": "female"})]
    parts = [{"name": name, **value} for name, value in replace]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    same(client.execute(f"Patient/{person.id}", method="patch", data=body)["gender"], "female", "gender")


@step("operation")
def operation():
    same(resource("valid").is_valid(), True, "validity")
    same(resource("bad", birthDate="never").is_valid(), False, "validity")


@step("errors")
def errors():
    refused(ResourceNotFound, lambda: client.reference("Patient", f"never-{RUN}").to_resource())
    invalid = refused(OperationOutcome, lambda: resource("bad", birthDate="never").save())
    same(invalid.resource["issue"][0]["expression"], ["Patient.birthDate"], "expression")
    refused(MultipleResourcesFound, lambda: client.resources("Patient").search(identifier=f"{RUN}-page").get())


@step("delete")
def delete():
    person.delete()
    refused(ResourceNotFound, lambda: client.reference("Patient", person.id).to_resource())


verdict()
