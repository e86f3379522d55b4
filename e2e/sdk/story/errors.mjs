import assert from 'node:assert/strict';

import { refused, unique } from './play.mjs';

// The SDK makes its kinds of errors of statuses and members; a wrong shape would come out as another kind.
export async function errors({ workos, stranger, call, organization, version }) {
  const missing = await refused(workos.organizations.getOrganization('org_01HXYZ0000000000000000000X'), 'NotFoundException', {
    status: 404, code: 'entity_not_found',
  });
  assert.match(missing.message, /org_01HXYZ0000000000000000000X/);
  await refused(workos.directorySync.getDirectory('nonsense'), 'NotFoundException');

  const wrong = await refused(workos.organizations.createOrganization({ name: '', domainData: [] }), 'UnprocessableEntityException', { status: 422 });
  assert.ok(wrong.requestID.startsWith('req_') || !version.encodesPaths, `request id ${wrong.requestID}`);
  assert.match(wrong.message, /name|required/i);

  const externalId = unique();
  await organization({ externalId });
  const taken = await refused(organization({ externalId }), 'BadRequestException', { status: 400, code: 'external_id_already_used' });
  assert.ok(Array.isArray(taken.errors) && taken.errors.length > 0);

  await refused(stranger.organizations.listOrganizations(), 'UnauthorizedException', { status: 401 });

  // A key of an organization is no management key.
  const owner = await organization();
  const key = await version.createKey(workos, { organizationId: owner.id, name: 'Key' });
  await assert.rejects(call('GET', '/organizations', undefined, key.value), /: 401 /);

  const domain = `${unique()}.example.com`;
  await version.createDomain(workos, { organizationId: owner.id, domain });
  await refused(version.createDomain(workos, { organizationId: owner.id, domain }), 'ConflictException', { status: 409 });
}
