import assert from 'node:assert/strict';

import { isTime, refused } from './play.mjs';

export async function apiKeys({ workos, version, organization }) {
  const owner = await organization();
  const made = await version.createKey(workos, { organizationId: owner.id, name: 'Importer', permissions: ['scim'] });
  assert.equal(made.object, 'api_key');
  assert.match(made.value, /^sk_/);
  assert.equal(made.name, 'Importer');
  assert.deepEqual(made.permissions, ['scim']);
  assert.deepEqual(made.owner, { type: 'organization', id: owner.id });
  assert.ok(made.obfuscatedValue && !made.obfuscatedValue.includes(made.value), made.obfuscatedValue);
  assert.equal(made.lastUsedAt, null);
  isTime(made.createdAt);

  const second = await version.createKey(workos, { organizationId: owner.id, name: 'Other' });
  const { value, ...shown } = made;
  const list = await version.listKeys(workos, { organizationId: owner.id });
  assert.deepEqual(list.data.map((k) => k.id), [second.id, made.id]);
  assert.deepEqual(list.data[1], shown);
  const page = await version.listKeys(workos, { organizationId: owner.id, limit: 1, order: 'asc' });
  assert.deepEqual(page.data.map((k) => k.id), [made.id]);
  const rest = await version.listKeys(workos, { organizationId: owner.id, limit: 1, order: 'asc', after: page.listMetadata.after });
  assert.deepEqual(rest.data.map((k) => k.id), [second.id]);

  const { apiKey } = await version.validateKey(workos, value);
  assert.equal(apiKey.id, made.id);
  assert.deepEqual(apiKey.owner, made.owner);
  assert.deepEqual(apiKey.permissions, ['scim']);
  for (const wrong of ['sk_wrong', `${value}x`, 'é']) {
    assert.deepEqual(await version.validateKey(workos, wrong), { apiKey: null });
  }

  await workos.apiKeys.deleteApiKey(made.id);
  assert.deepEqual(await version.validateKey(workos, value), { apiKey: null });
  assert.deepEqual((await version.listKeys(workos, { organizationId: owner.id })).data.map((k) => k.id), [second.id]);
  await refused(workos.apiKeys.deleteApiKey(made.id), 'NotFoundException');
  await refused(version.listKeys(workos, { organizationId: 'org_01HXYZ0000000000000000000X' }), 'NotFoundException');
  await refused(version.createKey(workos, { organizationId: owner.id, name: '' }), 'UnprocessableEntityException');
}
