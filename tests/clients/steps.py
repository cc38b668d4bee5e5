"""What the scripts share: named steps, a plain verdict, exit code 0 only where every step went well."""

import sys
import traceback
import uuid

BASE = sys.argv[1]
"""Base address of the server, from the command line."""
RUN = str(uuid.uuid4())
"""Sets this run apart from others on the same server."""

failed = 0


def step(name):
    """Runs the decorated function at once and says what became of it."""

    def play(work):
        global failed
        try:
            work()
            print(f"ok      {name}")
        except Exception:
            failed += 1
            print(f"FAILED  {name}: {traceback.format_exc()}")
        return work

    return play


def same(found, expected, what):
    """Raises where two values are not the same."""
    if found != expected:
        raise AssertionError(f"{what} is {found!r} instead of {expected!r}")


def refused(kind, work):
    """Raises where the work does not raise this kind of error; otherwise what it raised."""
    try:
        result = work()
    except kind as error:
        return error
    raise AssertionError(f"nothing was refused: {result!r}")


def patient(value, **more):
    """A patient with an identifier of this run."""
    identifier = {"system": "https://kith.example/clients", "value": f"{RUN}-{value}"}
    return {"resourceType": "Patient", "identifier": [identifier], **more}


def bundle():
    """A transaction of an organisation and a patient of it."""
    urn = f"urn:uuid:{uuid.uuid4()}"
    organisation = {"resourceType": "Organization", "name": "Practice"}
    person = patient("bundle", managingOrganization={"reference": urn})
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": urn, "request": {"method": "POST", "url": "Organization"}, "resource": organisation},
            {"request": {"method": "POST", "url": "Patient"}, "resource": person},
        ],
    }


def verdict():
    """Ends the script with its verdict."""
    print("All steps went well." if failed == 0 else f"{failed} steps failed.")
    sys.exit(0 if failed == 0 else 1)
