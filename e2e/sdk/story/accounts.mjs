import assert from 'node:assert/strict';

import { isTime, names, refused, unique } from './play.mjs';
import { codeFor, customer, redirectUri, walk } from './sign_in.mjs';

const cookiePassword = 'a password of at least thirty-two characters';
const afterLogout = 'http://127.0.0.1:9/bye'; // nobody listens: the browser stops before it

export async function accounts(w) {
  await w.call('POST', '/user_management/redirect_uris', { uri: redirectUri }).catch((e) => assert.match(e.message, /: 4(09|22) /));
  await mayReturn(w);
  await users(w);
  await memberships(w);
  const owner = await customer(w);
  const one = await signedIn(w, owner);
  await goesOn(w, owner, one);
  await logsOut(w, one);
  await revoked(w, owner);
  await withoutSecret(w, owner);
}

// mayReturn registers where people may go after a logout, which is the application's and not the environment's.
async function mayReturn({ call }) {
  const { data } = await call('GET', '/connect/applications?limit=100');
  await call('PUT', `/connect/applications/${data.find((a) => a.is_default).id}`, { post_logout_redirect_uris: [afterLogout] });
}

async function users({ workos }) {
  const of = workos.userManagement;
  const email = `ada-${unique()}@example.net`;
  const externalId = unique();
  const made = await of.createUser({ email, firstName: 'Ada', emailVerified: true, externalId, metadata: { plan: 'pro' } });
  assert.match(made.id, /^user_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual([made.email, made.firstName, made.lastName, made.emailVerified, made.externalId], [email, 'Ada', null, true, externalId]);
  assert.deepEqual(made.metadata, { plan: 'pro' });
  isTime(made.createdAt);
  assert.deepEqual(await of.getUser(made.id), made);
  assert.deepEqual(await of.getUserByExternalId(externalId), made);
  const changed = await of.updateUser({ userId: made.id, lastName: 'Lovelace', metadata: { plan: null, seat: '7' } });
  assert.deepEqual([changed.firstName, changed.lastName, changed.metadata], ['Ada', 'Lovelace', { seat: '7' }]);
  assert.deepEqual((await of.listUsers({ email: email.toUpperCase() })).data, [changed]);
  const taken = await refused(of.createUser({ email }), 'BadRequestException', { status: 400, code: 'user_creation_error' });
  assert.equal(taken.errors[0].code, 'email_not_available');
  await refused(of.createUser({ email: `x-${email}`, password: 'secret' }), 'UnprocessableEntityException');
  assert.deepEqual(await of.getUserIdentities(made.id), []);
  await of.deleteUser(made.id);
  await refused(of.getUser(made.id), 'NotFoundException', { status: 404 });
  await refused(of.deleteUser(made.id), 'NotFoundException');
}

async function memberships({ workos, organization }) {
  const of = workos.userManagement;
  const { id: organizationId } = await organization();
  const user = await of.createUser({ email: `bob-${unique()}@example.net` });
  const other = await of.createUser({ email: `eve-${unique()}@example.net` });
  const made = await of.createOrganizationMembership({ organizationId, userId: user.id, roleSlug: 'member' });
  assert.match(made.id, /^om_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual([made.organizationId, made.userId, made.status, made.role.slug], [organizationId, user.id, 'active', 'member']);
  const second = await of.createOrganizationMembership({ organizationId, userId: other.id });
  assert.deepEqual(await of.getOrganizationMembership(made.id), made);
  const list = async (query) => (await of.listOrganizationMemberships({ organizationId, ...query })).data;
  assert.deepEqual(names(await list(), 'id'), [made.id, second.id].sort());
  assert.deepEqual(await list({ userId: user.id }), [made]);
  const page = await of.listOrganizationMemberships({ organizationId, limit: 1 });
  assert.deepEqual([page.data[0].id, ...names(await list({ after: page.listMetadata.after }), 'id')], [second.id, made.id]);

  for (let again = 0; again < 2; again++) assert.equal((await of.deactivateOrganizationMembership(made.id)).status, 'inactive');
  assert.deepEqual(names(await list(), 'id'), [second.id]);
  assert.deepEqual(names(await list({ statuses: ['inactive', 'pending'] }), 'id'), [made.id]);
  for (let again = 0; again < 2; again++) assert.equal((await of.reactivateOrganizationMembership(made.id)).status, 'active');
  assert.equal((await of.updateOrganizationMembership(made.id, { roleSlug: 'member' })).role.slug, 'member');
  await refused(of.updateOrganizationMembership(made.id, { roleSlug: 'nothing' }), 'UnprocessableEntityException');
  assert.deepEqual(names((await of.listUsers({ organizationId })).data, 'id'), [user.id, other.id].sort());

  await of.deleteOrganizationMembership(second.id);
  await refused(of.getOrganizationMembership(second.id), 'NotFoundException');
  assert.deepEqual(names(await list({ statuses: ['active', 'inactive', 'pending'] }), 'id'), [made.id]);
}

// codeOf goes through the hosted page or straight on, as the SDK's address says.
async function codeOf({ workos }, owner, more = {}) {
  const clientId = process.env.CLIENT_ID;
  const url = workos.userManagement.getAuthorizationUrl({ provider: 'authkit', organizationId: owner.id, redirectUri, clientId, state: 'a b&c/é', ...more });
  const back = await codeFor(url, `ann@${owner.domain}`, { first_name: 'Ann', last_name: 'Lee' });
  assert.equal(back.state, 'a b&c/é');
  return back.code;
}

async function signedIn(w, owner) {
  const { workos, stranger } = w;
  const of = workos.userManagement;
  const clientId = process.env.CLIENT_ID;
  const code = await codeOf(w, owner);
  await refused(stranger.userManagement.authenticateWithCode({ code, clientId }), 'OauthException', { status: 400, error: 'invalid_client' });
  const got = await of.authenticateWithCode({ code, clientId, session: { sealSession: true, cookiePassword } });
  assert.deepEqual([got.user.email, got.user.firstName, got.organizationId, got.authenticationMethod], [`ann@${owner.domain}`, 'Ann', owner.id, 'SSO']);
  assert.equal(got.impersonator, undefined);

  // Offline: by the published keys, as the SDK does with the session that it seals into the app's cookie.
  const sealed = of.loadSealedSession({ sessionData: got.sealedSession, cookiePassword });
  const session = await sealed.authenticate();
  assert.equal(session.authenticated, true, JSON.stringify(session));
  assert.match(session.sessionId, /^session_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual([session.organizationId, session.role, session.permissions, session.user.id], [owner.id, 'member', [], got.user.id]);
  const claims = JSON.parse(Buffer.from(got.accessToken.split('.')[1], 'base64url'));
  assert.deepEqual([claims.sub, claims.sid, claims.org_id, claims.role, claims.roles, claims.exp - claims.iat], [got.user.id, session.sessionId, owner.id, 'member', ['member'], 300]);
  assert.ok(claims.jti && claims.iss, JSON.stringify(claims));

  await refused(of.authenticateWithCode({ code, clientId }), 'OauthException', { error: 'invalid_grant' }); // and it takes back what came of it
  return { code, sealed: got.sealedSession, sessionId: session.sessionId, refreshToken: got.refreshToken, user: got.user };
}

async function goesOn(w, owner, first) {
  const of = w.workos.userManagement;
  const clientId = process.env.CLIENT_ID;
  await refused(of.authenticateWithRefreshToken({ refreshToken: first.refreshToken, clientId }), 'OauthException', { error: 'invalid_grant' });
  const code = await codeOf(w, owner, { provider: undefined, connectionId: owner.connection, organizationId: undefined });
  const got = await of.authenticateWithCode({ code, clientId, session: { sealSession: true, cookiePassword } });
  assert.equal(got.user.id, first.user.id);
  const sealed = of.loadSealedSession({ sessionData: got.sealedSession, cookiePassword });
  const next = await sealed.refresh();
  assert.equal(next.authenticated, true, JSON.stringify(next));
  assert.notEqual(next.session.refreshToken, got.refreshToken);
  assert.equal((await of.loadSealedSession({ sessionData: next.sealedSession, cookiePassword }).authenticate()).authenticated, true);
  const elsewhere = await w.organization();
  await refused(of.authenticateWithRefreshToken({ refreshToken: next.session.refreshToken, clientId, organizationId: elsewhere.id }), 'OauthException', { error: 'organization_membership_not_found' });
  const [head, body] = next.session.accessToken.split('.');
  const forged = await of.sealSessionDataFromAuthenticationResponse({
    authenticationResponse: { ...next.session, accessToken: `${head}.${body}.${'A'.repeat(342)}` }, cookiePassword,
  });
  assert.deepEqual(await of.loadSealedSession({ sessionData: forged, cookiePassword }).authenticate(), { authenticated: false, reason: 'invalid_jwt' });
  first.last = next;
}

async function logsOut({ workos }, { last, user }) {
  const of = workos.userManagement;
  const sessions = (await of.listSessions(user.id)).data;
  assert.ok(sessions.some((s) => s.id === last.sessionId && s.status === 'active' && s.authMethod === 'sso'), JSON.stringify(sessions));
  const stray = await walk(of.getLogoutUrl({ sessionId: last.sessionId, returnTo: 'https://elsewhere.example/' }), '', {}, afterLogout);
  assert.equal(stray.status, 400, stray.body);
  const out = await walk(of.getLogoutUrl({ sessionId: last.sessionId, returnTo: afterLogout }), '', {}, afterLogout);
  assert.equal(out.url, afterLogout, out.body);
  await refused(of.authenticateWithRefreshToken({ refreshToken: last.session.refreshToken, clientId: process.env.CLIENT_ID }), 'OauthException', { error: 'invalid_grant' });
  assert.equal((await of.listSessions(user.id)).data.find((s) => s.id === last.sessionId).status, 'revoked');
}

async function revoked(w, owner) {
  const of = w.workos.userManagement;
  const clientId = process.env.CLIENT_ID;
  const got = await of.authenticateWithCode({ code: await codeOf(w, owner), clientId });
  const { sid } = JSON.parse(Buffer.from(got.accessToken.split('.')[1], 'base64url'));
  await of.revokeSession({ sessionId: sid });
  await refused(of.authenticateWithRefreshToken({ refreshToken: got.refreshToken, clientId }), 'OauthException', { error: 'invalid_grant' });

  const again = await of.authenticateWithCode({ code: await codeOf(w, owner), clientId });
  const [membership] = (await of.listOrganizationMemberships({ organizationId: owner.id, userId: again.user.id })).data;
  await of.deactivateOrganizationMembership(membership.id);
  await refused(of.authenticateWithRefreshToken({ refreshToken: again.refreshToken, clientId }), 'OauthException', { error: 'invalid_grant' });
  await of.reactivateOrganizationMembership(membership.id);
  await refused(of.authenticateWithPassword({ email: again.user.email, password: 'secret', clientId }), 'OauthException', { error: 'authentication_method_not_allowed' });
}

async function withoutSecret({ workos }, owner) {
  const of = workos.userManagement;
  const clientId = process.env.CLIENT_ID;
  const begun = await of.getAuthorizationUrlWithPKCE({ provider: 'authkit', organizationId: owner.id, redirectUri, clientId });
  const back = await codeFor(begun.url, `ann@${owner.domain}`);
  assert.equal(back.state, begun.state);
  await refused(of.authenticateWithCode({ code: back.code, clientId }), 'OauthException', { error: 'invalid_grant' });
  const got = await of.authenticateWithCode({ code: back.code, clientId, codeVerifier: begun.codeVerifier });
  assert.equal(got.user.email, `ann@${owner.domain}`);
}
