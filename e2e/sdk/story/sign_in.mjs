import assert from 'node:assert/strict';

import { eventually, isTime, refused, unique } from './play.mjs';

export const redirectUri = 'http://127.0.0.1:9/callback'; // nobody listens: the browser stops before it

export async function signIn(w) {
  await w.call('POST', '/user_management/redirect_uris', { uri: redirectUri }).catch((e) => assert.match(e.message, /: 4(09|22) /));
  const started = new Date(Date.now() - 1000).toISOString();
  const owner = await customer(w);
  const ann = await profiles(w, owner);
  await proofKey(w, owner);
  await refusals(w, owner);
  await keys(w);
  await connections(w, owner);
  await events(w, owner, ann, started);
}

// customer has a domain and an identity provider, as the operator sets them up.
export async function customer({ call, organization }) {
  const domain = `${unique()}.example.com`;
  const made = await organization({ domainData: [{ domain, state: 'verified' }] });
  const connection = await call('POST', '/connections', {
    organization_id: made.id, name: 'People', connection_type: 'GenericSAML',
    idp_entity_id: process.env.IDP_ENTITY_ID, sso_url: process.env.IDP_SSO_URL, certificates: [process.env.IDP_CERTIFICATE],
  });
  return { id: made.id, domain, connection: connection.id };
}

// walk sends a browser to where the SDK says, through the identity provider, and back to the app.
export async function walk(start, email, more = {}, stop = redirectUri) {
  const response = await fetch(process.env.BROWSER_URL, {
    method: 'POST', body: JSON.stringify({ start, stop, typed: { person: 'other', email, ...more } }),
  });
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text);
}

export async function codeFor(start, email, more) {
  const back = await walk(start, email, more);
  assert.ok(back.url.startsWith(redirectUri), `ended at ${back.url}: ${back.body}`);
  return Object.fromEntries(new URL(back.url).searchParams);
}

async function profiles({ workos, stranger }, owner) {
  const clientId = process.env.CLIENT_ID;
  const email = `ann@${owner.domain}`;
  const url = workos.sso.getAuthorizationUrl({ organization: owner.id, redirectUri, clientId, state: 'a b&c/é' });
  const back = await codeFor(url, email, { first_name: 'Ann', last_name: 'Lee', groups: 'Crew, Staff' });
  assert.equal(back.state, 'a b&c/é');
  await refused(stranger.sso.getProfileAndToken({ code: back.code, clientId }), 'OauthException', { status: 400, error: 'invalid_client' });
  const { accessToken, profile } = await workos.sso.getProfileAndToken({ code: back.code, clientId });
  assert.match(profile.id, /^prof_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(profile.email, email);
  assert.equal(profile.firstName, 'Ann');
  assert.equal(profile.lastName, 'Lee');
  assert.equal(profile.organizationId, owner.id);
  assert.equal(profile.connectionId, owner.connection);
  assert.equal(profile.connectionType, 'GenericSAML');
  assert.deepEqual(profile.groups, ['Crew', 'Staff']);
  assert.equal(typeof profile.rawAttributes, 'object');
  assert.ok(profile.idpId);
  assert.deepEqual(await workos.sso.getProfile({ accessToken }), profile);
  await refused(workos.sso.getProfile({ accessToken: 'nonsense' }), 'UnauthorizedException', { status: 401 });

  // A code serves once, and used again takes back what it was exchanged for.
  await refused(workos.sso.getProfileAndToken({ code: back.code, clientId }), 'OauthException', { error: 'invalid_grant' });
  await refused(workos.sso.getProfile({ accessToken }), 'UnauthorizedException');

  // The same person by the connection, with a name that has changed: the same profile.
  const again = await codeFor(workos.sso.getAuthorizationUrl({ connection: owner.connection, redirectUri, clientId, loginHint: email }), email, { first_name: 'Anna' });
  const second = await workos.sso.getProfileAndToken({ code: again.code, clientId });
  assert.equal(second.profile.id, profile.id);
  assert.equal(second.profile.firstName, 'Anna');
  return { profile };
}

async function proofKey({ workos }, owner) {
  const clientId = process.env.CLIENT_ID;
  const begun = await workos.sso.getAuthorizationUrlWithPKCE({ connection: owner.connection, redirectUri, clientId });
  const back = await codeFor(begun.url, `ann@${owner.domain}`);
  assert.equal(back.state, begun.state);
  await refused(workos.sso.getProfileAndToken({ code: back.code, clientId }), 'OauthException', { error: 'invalid_grant' });
  const { profile } = await workos.sso.getProfileAndToken({ code: back.code, clientId, codeVerifier: begun.codeVerifier });
  assert.equal(profile.email, `ann@${owner.domain}`);
}

async function refusals({ workos }, owner) {
  const clientId = process.env.CLIENT_ID;
  const url = workos.sso.getAuthorizationUrl({ connection: owner.connection, redirectUri, clientId, state: 's' });
  const denied = await walk(url, `bob@${owner.domain}`, { scenario: 'deny' });
  assert.equal(denied.status, 403, denied.body);
  const outside = await walk(url, 'eve@elsewhere.example');
  assert.equal(outside.status, 403, outside.body);

  const nowhere = await codeFor(workos.sso.getAuthorizationUrl({ organization: 'org_01HXYZ0000000000000000000X', redirectUri, clientId, state: 's' }));
  assert.equal(nowhere.error, 'organization_invalid');
  assert.equal(nowhere.state, 's');
  const stray = await walk(workos.sso.getAuthorizationUrl({ connection: owner.connection, redirectUri: 'https://elsewhere.example/', clientId }), '');
  assert.ok(stray.status >= 400 && stray.status < 500, `a foreign redirect URI is answered with ${stray.status} ${stray.url}`);
}

async function keys({ workos }) {
  const response = await fetch(workos.userManagement.getJwksUrl(process.env.CLIENT_ID));
  const { keys } = await response.json();
  assert.ok(keys.length > 0 && keys.every((k) => k.kty === 'RSA' && k.kid));
}

async function connections({ workos, call }, owner) {
  const one = await workos.sso.getConnection(owner.connection);
  assert.equal(one.id, owner.connection);
  assert.equal(one.organizationId, owner.id);
  assert.equal(one.name, 'People');
  assert.equal(one.state, 'active');
  assert.equal(one.type, 'GenericSAML');
  assert.deepEqual(one.domains.map((d) => d.domain), [owner.domain]);
  isTime(one.createdAt);
  for (const query of [{ organizationId: owner.id }, { domain: owner.domain }]) {
    const found = await workos.sso.listConnections({ ...query, connectionType: 'GenericSAML' });
    assert.deepEqual(found.data, [one]);
  }
  const other = await call('POST', '/connections', { organization_id: owner.id, name: 'Other', connection_type: 'OktaSAML' });
  const all = await workos.sso.listConnections({ organizationId: owner.id });
  assert.deepEqual((await all.autoPagination()).map((c) => c.id), [other.id, owner.connection]);
  const page = await workos.sso.listConnections({ organizationId: owner.id, limit: 1 });
  assert.deepEqual((await workos.sso.listConnections({ organizationId: owner.id, limit: 1, after: page.listMetadata.after })).data.map((c) => c.id), [owner.connection]);
  assert.deepEqual((await workos.sso.listConnections({ organizationId: owner.id, connectionType: 'OktaSAML' })).data.map((c) => c.state), ['draft']);
  await refused(workos.sso.getConnection('conn_01HXYZ0000000000000000000X'), 'NotFoundException', { status: 404 });

  await workos.sso.deleteConnection(owner.connection);
  await refused(workos.sso.getConnection(owner.connection), 'NotFoundException');
  await refused(workos.sso.deleteConnection(owner.connection), 'NotFoundException');
}

// Each type that this story causes, and one thing that the SDK's object of it must hold.
const wanted = {
  'connection.activated': (data, is) => assert.deepEqual([data.id, data.state], [is.owner.connection, 'active']),
  'connection.deleted': (data, is) => assert.equal(data.id, is.owner.connection),
  'authentication.sso_succeeded': (data, is) => {
    assert.deepEqual([data.email, data.status, data.type], [is.profile.email, 'succeeded', 'sso']);
    assert.equal(data.userId, is.user.id);
    if (is.version.rawPayload) assert.deepEqual([data.sso.connectionId, data.sso.organizationId], [is.owner.connection, is.owner.id]);
  },
  'authentication.sso_failed': (data) => {
    assert.deepEqual([data.status, data.type], ['failed', 'sso']);
    assert.ok(data.error.code && data.error.message, JSON.stringify(data));
  },
  'user.created': (data, is) => assert.deepEqual([data.email, data.firstName, data.emailVerified], [is.profile.email, 'Ann', true]),
  'user.updated': (data, is) => assert.deepEqual([data.id, data.firstName], [is.user.id, 'Anna']),
  'organization_membership.created': (data, is) => assert.deepEqual([data.userId, data.organizationId, data.status], [is.user.id, is.owner.id, 'active']),
  'session.created': (data, is) => assert.deepEqual([data.userId, data.organizationId, data.authMethod, data.status], [is.user.id, is.owner.id, 'sso', 'active']),
  'session.revoked': (data, is) => assert.deepEqual([data.userId, data.status], [is.user.id, 'revoked']),
};

async function events({ workos, version }, owner, { profile }, rangeStart) {
  const query = { events: Object.keys(wanted), rangeStart, limit: 100 };
  const ours = (e) => [e.data.organizationId, e.data.sso?.organizationId].includes(owner.id) || e.data.email === profile.email || e.data.id === owner.connection;
  const seen = await eventually('the end of every session', async () => {
    const page = await workos.events.listEvents(query);
    return page.data.some((e) => e.event === 'session.revoked' && ours(e)) ? page.data : undefined;
  });
  const mine = seen.filter((e) => ours(e) || e.event.startsWith('authentication.sso_failed'));
  const user = mine.find((e) => e.event === 'user.created').data;
  for (const event of mine) {
    isTime(event.createdAt);
    wanted[event.event](event.data, { owner, profile, user, version });
  }
  assert.deepEqual([...new Set(mine.map((e) => e.event))].sort(), Object.keys(wanted).sort());
  const succeeded = mine.filter((e) => e.event === 'authentication.sso_succeeded').length;
  assert.equal(succeeded, 3, 'sign-ins that succeeded');
  assert.equal(mine.filter((e) => e.event === 'session.created').length, mine.filter((e) => e.event === 'session.revoked').length);
}
