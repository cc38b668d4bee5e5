// npm @medplum/core against a running server: node medplum-core.mjs BASE

import { MedplumClient } from '@medplum/core';

import { base, bundle, patient, refused, run, same, step, verdict } from './steps.mjs';

const [, origin, fhirUrlPath] = base.match(/^(https?:\/\/[^/]+\/)(.*)$/);
const client = new MedplumClient({ baseUrl: origin, fhirUrlPath, fetch, cacheTime: 0 });
let stored;

await step('create and read', async () => {
  stored = await client.createResource(patient('one', { gender: 'male' }));
  same(await client.readResource('Patient', stored.id), stored, 'what is read');
});

await step('update and version read', async () => {
  const updated = await client.updateResource({ ...stored, gender: 'other' });
  same(updated.gender, 'other', 'gender');
  const first = await client.readVersion('Patient', stored.id, stored.meta.versionId);
  same(first.gender, 'male', 'gender of the first version');
});

await step('history', async () => {
  const history = await client.readHistory('Patient', stored.id);
  same(history.entry.length, 2, 'versions');
});

await step('search with paging', async () => {
  for (const letter of ['a', 'b', 'c']) {
    await client.createResource(patient('page', { name: [{ family: letter }] }));
  }
  const found = [];
  for await (const page of client.searchResourcePages('Patient', { identifier: `${run}-page`, _count: 2, _sort: 'family' })) {
    found.push(...page.map((resource) => resource.name[0].family));
  }
  same(found, ['a', 'b', 'c'], 'families');
});

await step('search for one', async () => {
  const found = await client.searchOne('Patient', { identifier: `${run}-one` });
  same(found.id, stored.id, 'id');
});

await step('conditional create', async () => {
  const criteria = `identifier=https://kith.example/clients|${run}-conditional`;
  const first = await client.createResourceIfNoneExist(patient('conditional'), criteria);
  const second = await client.createResourceIfNoneExist(patient('conditional'), criteria);
  same(second.id, first.id, 'id');
});

await step('conditional update', async () => {
  const updated = await client.upsertResource(patient('conditional', { active: true }), { identifier: `${run}-conditional` });
  same(updated.active, true, 'active');
});

await step('transaction', async () => {
  const answer = await client.executeBatch(bundle());
  same(answer.type, 'transaction-response', 'type');
  const [, id] = answer.entry[1].response.location.match(/Patient\/([^/]+)/);
  const read = await client.readResource('Patient', id);
  same((await client.readReference(read.managingOrganization)).name, 'Practice', 'the organisation');
});

await step('patch', async () => {
  const patched = await client.patchResource('Patient', stored.id, [{ op: 'replace', path: '/gender', value: 'female' }]);
  same(patched.gender, 'female', 'gender');
});

await step('validate', async () => {
  const outcome = await client.validateResource(patient('valid'));
  same(outcome.resourceType, 'OperationOutcome', 'type');
});

await step('errors', async () => {
  const missing = await refused(() => client.readResource('Patient', `never-${run}`));
  same(missing.outcome.issue[0].code, 'not-found', 'a missing resource');
  const invalid = await refused(() => client.createResource(patient('bad', { birthDate: 'never' })));
  same(invalid.outcome.issue[0].expression, ['Patient.birthDate'], 'an invalid resource');
});

await step('delete', async () => {
  await client.deleteResource('Patient', stored.id);
  const gone = await refused(() => client.readResource('Patient', stored.id));
  same(gone.outcome.issue[0].code, 'deleted', 'issue code');
});

verdict();
