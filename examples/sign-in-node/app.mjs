// An app with a "Sign in with SSO" button, in Node with openid-client. Rollcall is an OpenID provider like any other:
//
//   npm ci && ISSUER=http://127.0.0.1:8080 CLIENT_ID=client_… CLIENT_SECRET=… npm start
//
// Its redirect URI is http://127.0.0.1:3000/callback, its back-channel logout URI http://127.0.0.1:3000/backchannel-logout.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import * as client from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT = '3000' } = process.env;
const home = `http://127.0.0.1:${PORT}`;
const loopback = new URL(ISSUER).protocol === 'http:' ? { execute: [client.allowInsecureRequests] } : undefined;
const rollcall = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, loopback);
const keys = createRemoteJWKSet(new URL(rollcall.serverMetadata().jwks_uri));

// A session of this app: a cookie, and behind it who it is. An app keeps them in its database.
const sessions = new Map();

async function signIn(session) {
  const verifier = client.randomPKCECodeVerifier();
  Object.assign(session, { verifier, state: client.randomState(), nonce: client.randomNonce() });
  return client.buildAuthorizationUrl(rollcall, {
    redirect_uri: `${home}/callback`, scope: 'openid profile email', state: session.state, nonce: session.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    // organization: 'org_…' leads straight to that customer's provider; without it Rollcall asks for the email address.
  });
}

async function callback(session, url) {
  const { verifier, state, nonce } = session;
  const tokens = await client.authorizationCodeGrant(rollcall, url, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
  const signedIn = { claims: tokens.claims(), idToken: tokens.id_token };
  const id = randomBytes(32).toString('base64url'); // a new cookie: one that somebody planted before is worth nothing
  sessions.set(id, signedIn);
  return id;
}

// Rollcall says here that a session has ended: by signing out elsewhere, or because the person was deactivated.
async function backchannelLogout(body) {
  const { payload } = await jwtVerify(new URLSearchParams(body).get('logout_token'), keys, {
    issuer: rollcall.serverMetadata().issuer, audience: CLIENT_ID, typ: 'logout+jwt', maxTokenAge: '5 minutes',
  });
  if (!payload.events?.['http://schemas.openid.net/event/backchannel-logout']) throw new Error('not a logout token');
  for (const [id, { claims }] of sessions) {
    if (claims && (payload.sid ? claims.sid === payload.sid : claims.sub === payload.sub)) sessions.delete(id);
  }
}

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

createServer(async (req, res) => {
  const url = new URL(req.url, home);
  let id = /(?:^|; )app=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
  const go = (to, cookie) => res.writeHead(303, { location: to, ...(cookie && { 'set-cookie': `app=${cookie}; HttpOnly; SameSite=Lax; Path=/` }) }).end();
  try {
    switch (url.pathname) {
      case '/': {
        const claims = sessions.get(id)?.claims;
        res.writeHead(200, { 'content-type': 'text/html' }).end(claims
          ? `Signed in as ${escape(claims.email)} of ${escape(claims.org_id)}. <a href="/sign-out">Sign out</a>`
          : 'Not signed in. <a href="/sign-in">Sign in with SSO</a>');
        return;
      }
      case '/sign-in':
        id = randomBytes(32).toString('base64url');
        sessions.set(id, {});
        return go(await signIn(sessions.get(id)), id);
      case '/callback':
        return go('/', await callback(sessions.get(id) ?? {}, url));
      case '/sign-out': {
        const { idToken } = sessions.get(id) ?? {};
        sessions.delete(id);
        return go(client.buildEndSessionUrl(rollcall, { ...(idToken && { id_token_hint: idToken }), post_logout_redirect_uri: `${home}/` }));
      }
      case '/backchannel-logout': {
        let body = '';
        for await (const chunk of req) body += chunk;
        await backchannelLogout(body);
        res.writeHead(200, { 'cache-control': 'no-store' }).end();
        return;
      }
    }
    res.writeHead(404).end();
  } catch (error) {
    console.error(error.code ?? error.name, error.error ?? error.message);
    res.writeHead(400, { 'content-type': 'text/plain' }).end(`That did not work: ${error.error ?? error.message}`);
  }
}).listen(PORT, '127.0.0.1', () => console.log(`The app is at ${home}/`));
