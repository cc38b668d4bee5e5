// npm fhirclient (SMART on FHIR) against a running server: node fhirclient.mjs BASE

import smart from 'fhirclient';

import { base, bundle, patient, refused, run, same, step, verdict } from './steps.mjs';

const client = new smart.FhirClient(base);
let stored;

await step('capabilities', async () => {
  const statement = await client.fhirRequest('metadata');
  same(statement.fhirVersion, '4.0.1', 'fhirVersion');
  same(await client.getFhirRelease(), 4, 'release');
});

await step('create and read', async () => {
  stored = await client.create(patient('one', { gender: 'male' }));
  same(await client.fhirRequest(`Patient/${stored.id}`), stored, 'what is read');
});

await step('update', async () => {
  const updated = await client.update({ ...stored, gender: 'other' });
  same(updated.gender, 'other', 'gender');
});

await step('search with paging', async () => {
  for (const letter of ['a', 'b', 'c']) {
    await client.create(patient('page', { name: [{ family: letter }] }));
  }
  const found = [];
  let page = await client.fhirRequest(`Patient?identifier=${run}-page&_count=2&_sort=family`);
  while (page) {
    found.push(...page.entry.map((entry) => entry.resource.name[0].family));
    const next = page.link.find((link) => link.relation === 'next');
    page = next ? await client.fhirRequest(next.url) : null;
  }
  same(found, ['a', 'b', 'c'], 'families');
});

await step('conditional create', async () => {
  const headers = { 'If-None-Exist': `identifier=https://kith.example/clients|${run}-conditional` };
  await client.create(patient('conditional'), { headers: { 'Content-Type': 'application/json', ...headers } });
  await client.create(patient('conditional'), { headers: { 'Content-Type': 'application/json', ...headers } });
  const page = await client.fhirRequest(`Patient?identifier=${run}-conditional`);
  same(page.entry.length, 1, 'matches');
});

await step('transaction and references', async () => {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await client.fhirRequest('', { method: 'POST', headers, body: JSON.stringify(bundle()) });
  same(answer.type, 'transaction-response', 'type');
  const read = await client.fhirRequest(answer.entry[1].response.location.replace(/^.*(Patient\/[^/]+).*$/, '$1'));
  await client.resolveReferences(read, ['managingOrganization']);
  same(read.managingOrganization.name, 'Practice', 'the organisation');
});

await step('patch', async () => {
  const patched = await client.patch(`Patient/${stored.id}`, [{ op: 'replace', path: '/gender', value: 'female' }]);
  same(patched.gender, 'female', 'gender');
});

await step('errors', async () => {
  const missing = await refused(() => client.fhirRequest(`Patient/never-${run}`));
  same(missing.statusCode, 404, 'a missing resource');
  const invalid = await refused(() => client.create(patient('bad', { birthDate: 'never' })));
  same(invalid.statusCode, 422, 'an invalid resource');
});

await step('delete', async () => {
  await client.delete(`Patient/${stored.id}`);
  const gone = await refused(() => client.fhirRequest(`Patient/${stored.id}`));
  same(gone.statusCode, 410, 'status');
});

verdict();
