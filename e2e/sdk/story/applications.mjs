import assert from 'node:assert/strict';

import { isTime, refused, unique } from './play.mjs';

export async function applications({ workos, version, organization }) {
  if (!version.applications) {
    console.log('this version has no part for applications');
    return;
  }
  const { connect } = workos;
  const name = `App ${unique()}`;
  const uri = 'http://127.0.0.1:9/callback';
  const made = await connect.createOAuthApplication(name, true, 'Ours', ['openid', 'email'], [{ uri, default: true }], true);
  assert.match(made.id, /^conn_app_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.match(made.clientId, /^client_/);
  assert.deepEqual([made.name, made.description, made.applicationType], [name, 'Ours', 'oauth']);
  assert.deepEqual(made.scopes, ['openid', 'email']);
  assert.deepEqual(made.redirectUris, [{ uri, default: true }]);
  assert.deepEqual([made.usesPkce, made.isFirstParty], [true, true]);
  assert.deepEqual(await connect.getApplication({ id: made.id }), made);

  const owner = await organization();
  const theirs = await connect.createApplication({
    name: `Theirs ${name}`, applicationType: 'oauth', isFirstParty: false, organizationId: owner.id, redirectUris: [{ uri }],
  });
  assert.equal(theirs.organizationId, owner.id);
  assert.deepEqual((await connect.listApplications({ organizationId: owner.id })).data, [theirs]);
  const page = await connect.listApplications({ limit: 1 });
  const next = await connect.listApplications({ limit: 1, after: page.listMetadata.after });
  assert.deepEqual([...page.data, ...next.data].map((a) => a.id), [theirs.id, made.id]);

  const changed = await connect.updateApplication({ id: made.id, name: `New ${name}`, description: 'Ours', redirectUris: [{ uri: `${uri}/2`, default: true }] });
  assert.deepEqual([changed.name, changed.description], [`New ${name}`, 'Ours']);
  assert.deepEqual(changed.redirectUris, [{ uri: `${uri}/2`, default: true }]);

  const secrets = [await connect.createApplicationClientSecret({ id: made.id }), await connect.createApplicationClientSecret({ id: made.id })];
  assert.equal(new Set(secrets.map((s) => s.secret)).size, 2);
  assert.ok(secrets.every((s) => s.secret && s.secret.endsWith(s.secretHint)), JSON.stringify(secrets));
  const listed = await connect.listApplicationClientSecrets({ id: made.id });
  assert.deepEqual(listed.map((s) => s.id).sort(), secrets.map((s) => s.id).sort());
  assert.ok(listed.every((s) => s.secret === undefined && s.lastUsedAt === null));
  await connect.deleteClientSecret({ id: secrets[0].id });
  assert.deepEqual((await connect.listApplicationClientSecrets({ id: made.id })).map((s) => s.id), [secrets[1].id]);
  await refused(connect.deleteClientSecret({ id: secrets[0].id }), 'NotFoundException');

  await refused(connect.createOAuthApplication(name, true, null, null, [{ uri: 'http://elsewhere.example/' }]), 'UnprocessableEntityException');
  await refused(connect.createM2MApplication(name, owner.id), 'UnprocessableEntityException');
  await connect.deleteApplication({ id: made.id });
  await refused(connect.getApplication({ id: made.id }), 'NotFoundException', { status: 404 });
  isTime(made.createdAt.toISOString?.() ?? made.createdAt);
}
