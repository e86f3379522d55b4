import assert from 'node:assert/strict';

import { isTime, names, refused, unique } from './play.mjs';

export async function organizations(w) {
  await life(w);
  await portal(w);
  await nulls(w);
  await idempotency(w);
  await pages(w);
}

async function life({ workos, version }) {
  const tag = unique();
  const externalId = version.encodesPaths ? `crm/${tag}?%2F#` : `crm-${tag}`;
  const made = await workos.organizations.createOrganization({
    name: 'R&D <Europe> "é"', externalId, metadata: { tier: 'gold', region: 'eu' },
    domainData: [{ domain: `${tag}.example.com`, state: 'verified' }],
  });
  assert.equal(made.object, 'organization');
  assert.match(made.id, /^org_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(made.name, 'R&D <Europe> "é"');
  assert.equal(made.externalId, externalId);
  assert.deepEqual(made.metadata, { tier: 'gold', region: 'eu' });
  assert.equal(made.allowProfilesOutsideOrganization, false);
  isTime(made.createdAt);
  isTime(made.updatedAt);
  assert.equal(made.domains.length, 1);
  assert.equal(made.domains[0].domain, `${tag}.example.com`);
  assert.equal(made.domains[0].organizationId, made.id);
  assert.equal(made.domains[0].state, 'verified');

  assert.deepEqual(await workos.organizations.getOrganization(made.id), made);
  assert.deepEqual(await workos.organizations.getOrganizationByExternalId(externalId), made);
  const found = await workos.organizations.listOrganizations({ domains: ['nowhere.example.com', `${tag}.example.com`] });
  assert.deepEqual(found.data, [made]);
  assert.deepEqual(found.listMetadata, { before: null, after: null });

  const changed = await workos.organizations.updateOrganization({
    organization: made.id, name: 'Research', externalId: `new-${tag}`, metadata: { tier: null, plan: 'pro' },
    domainData: [{ domain: `new.${tag}.example.com`, state: 'pending' }],
  });
  assert.equal(changed.id, made.id);
  assert.equal(changed.name, 'Research');
  assert.equal(changed.externalId, `new-${tag}`);
  assert.deepEqual(changed.metadata, { region: 'eu', plan: 'pro' });
  assert.deepEqual(names(changed.domains, 'domain'), [`new.${tag}.example.com`]);
  assert.deepEqual(await workos.organizations.getOrganizationByExternalId(`new-${tag}`), changed);
  await refused(workos.organizations.updateOrganization({ organization: 'org_01HXYZ0000000000000000000X', name: 'Nobody' }), 'NotFoundException');

  // What is left out stays; null takes away.
  const without = await workos.organizations.updateOrganization({ organization: made.id, externalId: null });
  assert.equal(without.externalId, null);
  assert.equal(without.name, 'Research');

  await workos.organizations.deleteOrganization(made.id);
  await refused(workos.organizations.getOrganization(made.id), 'NotFoundException', { status: 404, code: 'entity_not_found' });
}

// A link into the portal, by the name that each SDK has for it.
async function portal({ workos }) {
  const made = await workos.organizations.createOrganization({ name: 'Portal' });
  const links = workos.adminPortal ?? workos.portal;
  for (const intent of ['sso', 'dsync', 'audit_logs', 'certificate_renewal', 'domain_verification']) {
    const { link } = await links.generateLink({ organization: made.id, intent, returnUrl: 'https://app.example.com/back', successUrl: 'https://app.example.com/done' });
    assert.match(link, /\/portal\/link\/portal_[0-9A-Za-z]{49}$/);
    const page = await fetch(link); // what a program that reads mails would do
    assert.equal(page.status, 200);
    assert.match(await page.text(), /Portal/);
  }
  await refused(links.generateLink({ organization: made.id, intent: 'log_streams' }), 'UnprocessableEntityException', { code: 'intent_not_supported' });
  await refused(links.generateLink({ organization: 'org_01HXYZ0000000000000000000X', intent: 'sso' }), 'NotFoundException');
}

async function nulls({ workos }) {
  const made = await workos.organizations.createOrganization({ name: 'Sparse', externalId: null, metadata: null, domainData: null });
  assert.equal(made.externalId, null);
  assert.deepEqual(made.metadata, {});
  assert.deepEqual(made.domains, []);
}

async function idempotency({ workos }) {
  const idempotencyKey = unique();
  const first = await workos.organizations.createOrganization({ name: 'Once' }, { idempotencyKey });
  const second = await workos.organizations.createOrganization({ name: 'Once' }, { idempotencyKey });
  assert.deepEqual(second, first);
  await refused(workos.organizations.createOrganization({ name: 'Twice' }, { idempotencyKey }), 'UnprocessableEntityException');
}

async function pages({ workos }) {
  const tag = unique();
  const all = [];
  for (let i = 0; i < 105; i += 15) {
    all.push(...await Promise.all(Array.from({ length: 15 }, () => workos.organizations.createOrganization({ name: `Page ${tag}` }))));
  }
  const ids = all.map((o) => o.id).sort();

  const list = await workos.organizations.listOrganizations({ search: `Page ${tag}` });
  assert.equal(list.data.length, 10);
  assert.deepEqual(list.data.map((o) => o.id), ids.slice(-10).reverse());
  assert.equal(list.listMetadata.before, null);
  assert.equal(list.listMetadata.after, ids.at(-10));
  assert.deepEqual((await list.autoPagination()).map((o) => o.id), ids.toReversed());

  const forward = await workos.organizations.listOrganizations({ search: `Page ${tag}`, order: 'asc', limit: 100 });
  assert.deepEqual(forward.data.map((o) => o.id), ids.slice(0, 100));
  const rest = await workos.organizations.listOrganizations({ search: `Page ${tag}`, order: 'asc', limit: 100, after: forward.listMetadata.after });
  assert.deepEqual(rest.data.map((o) => o.id), ids.slice(100));
  assert.equal(rest.listMetadata.after, null);
  const back = await workos.organizations.listOrganizations({ search: `Page ${tag}`, order: 'asc', limit: 3, before: rest.data[0].id });
  assert.deepEqual(back.data.map((o) => o.id), ids.slice(97, 100));
}
