"""Measures PyPI pyrofile-validator on a folder of resources: verdict and mean time of each, as lines of
`name TAB verdict TAB microseconds`. Run by run.sh."""

import json
import sys
import time
from pathlib import Path

from pyrofile_validator.config import ValidatorConfig
from pyrofile_validator.core.engine import Validator

validator = Validator(ValidatorConfig.load_dict({"error_on_unknown_profile": False, "allow_unknown_extensions": True}))


def verdict(resource):
    report = validator.validate_resource(resource)
    worst = any(issue.severity.value in ("error", "fatal") for issue in report.issues)
    return "invalid" if worst else "valid"


for file in sorted(Path(sys.argv[1]).iterdir()):
    resource = json.loads(file.read_text())
    found = verdict(resource)
    start = time.process_time()
    runs = 0
    while time.process_time() - start < 0.3 or runs < 3:
        verdict(resource)
        runs += 1
    microseconds = (time.process_time() - start) * 1e6 / runs
    print(f"{file.name}\t{found}\t{microseconds:.1f}")
