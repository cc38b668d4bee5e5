// npm fhir-kit-client against a running server: node fhir-kit-client.mjs BASE

import { Client } from 'fhir-kit-client';

import { base, bundle, patient, refused, run, same, step, verdict } from './steps.mjs';

const client = new Client({ baseUrl: base });
const criteria = (value) => `identifier=https://kith.example/clients|${run}-${value}`;
let stored;

await step('capabilities', async () => {
  const statement = await client.capabilityStatement();
  same(statement.fhirVersion, '4.0.1', 'fhirVersion');
});

await step('create and read', async () => {
  stored = await client.create({ resourceType: 'Patient', body: patient('one', { gender: 'male' }) });
  const read = await client.read({ resourceType: 'Patient', id: stored.id });
  same(read, stored, 'what is read');
});

await step('update and version read', async () => {
  const updated = await client.update({ resourceType: 'Patient', id: stored.id, body: { ...stored, gender: 'other' } });
  same(updated.gender, 'other', 'gender');
  const first = await client.vread({ resourceType: 'Patient', id: stored.id, version: stored.meta.versionId });
  same(first.gender, 'male', 'gender of the first version');
});

await step('history', async () => {
  const history = await client.history({ resourceType: 'Patient', id: stored.id });
  same(history.entry.length, 2, 'versions');
});

await step('search with paging', async () => {
  for (const letter of ['a', 'b', 'c']) {
    await client.create({ resourceType: 'Patient', body: patient('page', { name: [{ family: letter }] }) });
  }
  let page = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${run}-page`, _count: 2, _sort: 'family' } });
  const found = [];
  while (page) {
    found.push(...page.entry.map((entry) => entry.resource.name[0].family));
    page = await client.nextPage({ bundle: page });
  }
  same(found, ['a', 'b', 'c'], 'families');
});

await step('search by POST', async () => {
  const options = { postSearch: true };
  const page = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${run}-one` }, options });
  same(page.entry.map((entry) => entry.resource.id), [stored.id], 'matches');
});

await step('compartment search', async () => {
  const compartment = { resourceType: 'Patient', id: stored.id };
  const page = await client.search({ resourceType: 'Observation', compartment, searchParams: {} });
  same(page.type, 'searchset', 'type');
});

await step('conditional create', async () => {
  const options = { headers: { 'If-None-Exist': criteria('conditional') } };
  const create = () => client.create({ resourceType: 'Patient', body: patient('conditional'), options });
  await create();
  await create();
  const page = await client.search({ resourceType: 'Patient', searchParams: { identifier: `${run}-conditional` } });
  same(page.entry.length, 1, 'matches');
});

await step('conditional update', async () => {
  const searchParams = { identifier: `${run}-conditional` };
  const updated = await client.update({ resourceType: 'Patient', searchParams, body: patient('conditional', { active: true }) });
  same(updated.active, true, 'active');
});

await step('transaction', async () => {
  const answer = await client.transaction({ body: bundle() });
  same(answer.type, 'transaction-response', 'type');
  const [, resourceType, id] = answer.entry[1].response.location.match(/(Patient)\/([^/]+)/);
  const read = await client.read({ resourceType, id });
  same(/^Organization\/[^/]+$/.test(read.managingOrganization.reference), true, 'the reference is rewritten');
});

await step('batch', async () => {
  const entry = [{ request: { method: 'GET', url: `Patient/${stored.id}` } }, { request: { method: 'GET', url: 'Patient/never' } }];
  const answer = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry } });
  same(answer.entry.map((item) => item.response.status.slice(0, 3)), ['200', '404'], 'statuses');
});

await step('patch', async () => {
  const jsonPatch = [{ op: 'replace', path: '/gender', value: 'female' }];
  await client.patch({ resourceType: 'Patient', id: stored.id, jsonPatch });
  same((await client.read({ resourceType: 'Patient', id: stored.id })).gender, 'female', 'gender');
});

await step('operation', async () => {
  const outcome = await client.operation({ name: 'validate', resourceType: 'Patient', input: patient('valid') });
  same(outcome.resourceType, 'OperationOutcome', 'type');
});

await step('errors', async () => {
  const missing = await refused(() => client.read({ resourceType: 'Patient', id: `never-${run}` }));
  same([missing.response.status, missing.response.data.resourceType], [404, 'OperationOutcome'], 'a missing resource');
  const invalid = await refused(() => client.create({ resourceType: 'Patient', body: patient('bad', { birthDate: 'never' }) }));
  same([invalid.response.status, invalid.response.data.issue[0].expression], [422, ['Patient.birthDate']], 'an invalid resource');
  const options = { headers: { 'If-Match': 'W/"1"' } };
  const stale = await refused(() => client.update({ resourceType: 'Patient', id: stored.id, body: stored, options }));
  same(stale.response.status, 412, 'a stale update');
});

await step('delete', async () => {
  await client.delete({ resourceType: 'Patient', id: stored.id });
  const gone = await refused(() => client.read({ resourceType: 'Patient', id: stored.id }));
  same(gone.response.status, 410, 'status');
});

verdict();
