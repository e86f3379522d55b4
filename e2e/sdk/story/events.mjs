import assert from 'node:assert/strict';

import { isTime, refused, unique } from './play.mjs';

// Each type that this story causes, and one thing that the SDK's object of it must hold.
const wanted = {
  'organization.created': (data, is) => assert.equal(data.id, is.owner.id),
  'organization.updated': (data) => assert.equal(data.name, 'Renamed'),
  'organization.deleted': (data, is) => assert.equal(data.id, is.owner.id),
  'organization_domain.created': (data, is) => assert.equal(data.organizationId, is.owner.id),
  'organization_domain.verified': (data, is) => assert.equal((data.organizationDomain ?? data).organizationId, is.owner.id),
  'organization_domain.deleted': (data, is) => assert.equal(data.id, is.domain.id),
  'api_key.created': (data, is) => assert.equal(data.id, is.key.id),
  'api_key.revoked': (data, is) => assert.equal(data.id, is.key.id),
  'dsync.activated': (data, is) => {
    assert.equal(data.id, is.feed.id);
    assert.equal(data.state, 'active');
    assert.deepEqual(data.domains, []);
    assert.equal(typeof data.externalKey, 'string');
  },
  'dsync.deleted': (data, is) => assert.equal(data.id, is.feed.id),
  'dsync.user.created': (data) => {
    assert.ok(['ann@example.com', 'bob@example.com'].includes(data.email));
    assert.equal(data.firstName, data.email.split('@')[0]);
    assert.equal(typeof data.rawAttributes, 'object');
  },
  'dsync.user.updated': (data, is) => {
    assert.ok([is.ann.id, is.bob.id].includes(data.id));
    assert.ok(data.previousAttributes, 'no previous attributes');
  },
  'dsync.user.deleted': (data, is) => assert.equal(data.id, is.ann.id),
  'dsync.group.created': (data, is) => assert.equal(data.id, is.crew.id),
  'dsync.group.updated': (data) => {
    assert.equal(data.name, 'Team');
    assert.equal(data.previousAttributes.name, 'Crew');
  },
  'dsync.group.deleted': (data, is) => assert.equal(data.id, is.crew.id),
  'dsync.group.user_added': (data, is) => {
    assert.equal(data.directoryId, is.feed.id);
    assert.equal(data.group.id, is.crew.id);
    assert.ok([is.ann.id, is.bob.id].includes(data.user.id));
  },
  'dsync.group.user_removed': (data, is) => assert.equal(data.group.id, is.crew.id),
};

export async function events(w) {
  const { workos } = w;
  const started = new Date(Date.now() - 1000).toISOString();
  const is = await cause(w);
  const query = { events: Object.keys(wanted), organizationId: is.owner.id };

  // All of them, by cursor, in pages of seven.
  const seen = [];
  for (let after; ; ) {
    const page = await workos.events.listEvents({ ...query, limit: 7, ...(after && { after }) });
    assert.equal(page.object, 'list');
    seen.push(...page.data);
    if (!page.listMetadata.after) break;
    after = page.listMetadata.after;
    assert.equal(after, page.data.at(-1).id);
  }
  assert.equal(new Set(seen.map((e) => e.id)).size, seen.length, 'an event was repeated');
  assert.equal(seen[0].event, 'organization.created');
  for (const event of seen) {
    assert.match(event.id, /^event_[0-9A-HJKMNP-TV-Z]{26}$/);
    isTime(event.createdAt);
    assert.ok(event.context?.actor, `${event.event} has no actor: ${JSON.stringify(event.context)}`);
    if (event.event.startsWith('dsync.user') || event.event.startsWith('dsync.group')) {
      assert.equal(event.context.actor.source, 'system');
      assert.equal(event.context.actor.id, is.feed.id);
      assert.match(event.context.exchange_id, /^exchange_/);
    }
    wanted[event.event](event.data, is);
  }
  assert.deepEqual([...new Set(seen.map((e) => e.event))].sort(), Object.keys(wanted).sort());

  // Narrowed by type, turned round, from a time on, up to a time.
  const created = await workos.events.listEvents({ events: ['dsync.user.created'], organizationId: is.owner.id });
  assert.deepEqual(created.data.map((e) => e.data.email), ['ann@example.com', 'bob@example.com']);
  const backwards = await workos.events.listEvents({ ...query, order: 'desc', limit: 100 });
  assert.deepEqual(backwards.data.map((e) => e.id), seen.map((e) => e.id).reverse());
  const since = await workos.events.listEvents({ ...query, rangeStart: started, limit: 100 });
  assert.deepEqual(since.data.map((e) => e.id), seen.map((e) => e.id));
  const before = await workos.events.listEvents({ ...query, rangeStart: '2020-01-01T00:00:00.000Z', rangeEnd: '2020-01-02T00:00:00.000Z' });
  assert.deepEqual(before.data, []);

  await refused(workos.events.listEvents({ events: ['no.such'] }), 'UnprocessableEntityException');
  const forged = await workos.events.listEvents({ ...query, after: 'event_forged' }).catch((e) => e);
  assert.ok(['BadRequestException', 'UnprocessableEntityException'].includes(forged.name), `a forged cursor: ${forged.name}`);
}

async function cause({ workos, version, call, organization, directory }) {
  const owner = await organization();
  await workos.organizations.updateOrganization({ organization: owner.id, name: 'Renamed' });
  const domain = await version.createDomain(workos, { domain: `${unique()}.example.com`, organizationId: owner.id });
  await call('POST', `/organization_domains/${domain.id}/verify`, { verification_strategy: 'manual' });
  await version.deleteDomain(workos, domain.id);
  const key = await version.createKey(workos, { organizationId: owner.id, name: 'Key' });
  await workos.apiKeys.deleteApiKey(key.id);

  const feed = await directory(owner.id);
  const ann = await feed.person('ann');
  const bob = await feed.person('bob');
  const crew = await feed.group('Crew', ann.id, bob.id);
  await feed.patch(`/Users/${ann.id}`, { op: 'replace', path: 'title', value: 'Lead' });
  await feed.patch(`/Users/${bob.id}`, { op: 'replace', path: 'active', value: false }); // and leaves the group
  await feed.patch(`/Groups/${crew.id}`, { op: 'replace', path: 'displayName', value: 'Team' });
  await feed.scim('DELETE', `/Users/${ann.id}`);
  await feed.scim('DELETE', `/Groups/${crew.id}`);
  await workos.directorySync.deleteDirectory(feed.id);
  await workos.organizations.deleteOrganization(owner.id);
  return { owner, domain, key, feed, ann, bob, crew };
}
