// What the scripts share: named steps, a plain verdict, exit code 0 only where every step went well.

import { randomUUID } from 'node:crypto';

/** Base address of the server, from the command line. */
export const base = process.argv[2];
/** Sets this run apart from others on the same server. */
export const run = randomUUID();

let failed = 0;

/** Runs one step and says what became of it. */
export async function step(name, work) {
  try {
    await work();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error?.stack ?? error}`);
  }
}

/** Throws where two values are not the same. */
export function same(found, expected, what) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) {
    throw new Error(`${what} is ${one} instead of ${other}`);
  }
}

/** Throws where the work does not throw; otherwise what it threw. */
export async function refused(work) {
  let result;
  try {
    result = await work();
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was refused: ${JSON.stringify(result)}`);
}

/** A patient with an identifier of this run. */
export function patient(value, more = {}) {
  return { resourceType: 'Patient', identifier: [{ system: 'https://kith.example/clients', value: `${run}-${value}` }], ...more };
}

/** A transaction of an organisation and a patient of it. */
export function bundle() {
  const urn = `urn:uuid:${randomUUID()}`;
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: urn, request: { method: 'POST', url: 'Organization' }, resource: { resourceType: 'Organization', name: 'Practice' } },
      { request: { method: 'POST', url: 'Patient' }, resource: patient('bundle', { managingOrganization: { reference: urn } }) },
    ],
  };
}

/** Ends the script with its verdict. */
export function verdict() {
  console.log(failed === 0 ? 'All steps went well.' : `${failed} steps failed.`);
  process.exit(failed === 0 ? 0 : 1);
}
