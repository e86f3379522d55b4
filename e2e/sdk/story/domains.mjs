import assert from 'node:assert/strict';

import { isTime, refused, unique } from './play.mjs';

export async function domains({ workos, version, call, organization }) {
  const owner = await organization();
  const domain = `${unique()}.example.com`;
  const made = await version.createDomain(workos, { domain, organizationId: owner.id });
  assert.equal(made.object, 'organization_domain');
  assert.match(made.id, /^org_domain_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(made.domain, domain);
  assert.equal(made.organizationId, owner.id);
  assert.equal(made.state, 'pending');
  assert.equal(made.verificationStrategy, 'dns');
  assert.ok(made.verificationToken, 'no verification token');
  assert.ok(made.verificationPrefix, 'no verification prefix');
  isTime(made.createdAt);

  assert.deepEqual(await version.getDomain(workos, made.id), made);
  assert.deepEqual((await workos.organizations.getOrganization(owner.id)).domains.map((d) => d.id), [made.id]);
  await refused(version.createDomain(workos, { domain, organizationId: owner.id }), 'ConflictException', { status: 409 });
  const bad = await refused(version.createDomain(workos, { domain: 'no domain', organizationId: owner.id }), 'UnprocessableEntityException');
  assert.match(bad.message, /domain/);

  // There is no such name, so the proof cannot be found; the operator vouches instead.
  const asked = await version.verifyDomain(workos, made.id);
  assert.equal(asked.id, made.id);
  assert.equal(asked.state, 'pending');
  await call('POST', `/organization_domains/${made.id}/verify`, { verification_strategy: 'manual' });
  const verified = await version.getDomain(workos, made.id);
  assert.equal(verified.state, 'verified');
  assert.equal(verified.verificationStrategy, 'manual');
  await refused(version.verifyDomain(workos, made.id), 'BadRequestException', { status: 400, code: 'domain_already_verified' });

  await version.deleteDomain(workos, made.id);
  await refused(version.getDomain(workos, made.id), 'NotFoundException');
  await refused(version.verifyDomain(workos, made.id), 'NotFoundException');
}
