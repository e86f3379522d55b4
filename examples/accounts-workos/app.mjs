// An app that lets Rollcall keep its users, with the WorkOS SDK's userManagement: the session is sealed into the app's own cookie, checked
// offline at each request, and refreshed when its five minutes are over. Rollcall's address is the only line that differs from an app of
// WorkOS's:
//
//   npm ci && ROLLCALL_URL=http://127.0.0.1:8080 ROLLCALL_API_KEY=sk_… ROLLCALL_CLIENT_ID=client_… ORGANIZATION=org_… npm start
//
// Its redirect URI is http://127.0.0.1:3000/callback, and http://127.0.0.1:3000/ is where people come back to after a logout.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { WorkOS } from '@workos-inc/node';

const { ROLLCALL_URL, ROLLCALL_API_KEY, ROLLCALL_CLIENT_ID, ORGANIZATION, PORT = '3000' } = process.env;
const { protocol, hostname, port } = new URL(ROLLCALL_URL);
const workos = new WorkOS(ROLLCALL_API_KEY, {
  apiHostname: hostname, port: port ? Number(port) : undefined, https: protocol === 'https:', clientId: ROLLCALL_CLIENT_ID,
});
const home = `http://127.0.0.1:${PORT}`;
const clientId = ROLLCALL_CLIENT_ID;
const cookiePassword = process.env.COOKIE_PASSWORD ?? randomBytes(32).toString('base64url'); // of all instances of the app the same
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const cookie = (name, value, more = '') => `${name}=${value}; HttpOnly; SameSite=Lax; Path=/${more}`;
const gone = (name) => cookie(name, '', '; Max-Age=0');

// current is who the browser is, and the cookie to set if that was refreshed. A session that has ended refuses to be.
async function current(sessionData, force) {
  if (!sessionData) return {};
  const session = workos.userManagement.loadSealedSession({ sessionData, cookiePassword });
  const held = await session.authenticate();
  if (held.authenticated && !force) return { session, ...held };
  const fresh = await session.refresh();
  if (!fresh.authenticated) return { set: gone('app') };
  const now = workos.userManagement.loadSealedSession({ sessionData: fresh.sealedSession, cookiePassword });
  return { session: now, ...(await now.authenticate()), set: cookie('app', fresh.sealedSession) };
}

createServer(async (req, res) => {
  const url = new URL(req.url, home);
  const kept = (name) => new RegExp(`(?:^|; )${name}=([^;]+)`).exec(req.headers.cookie ?? '')?.[1];
  const go = (to, ...cookies) => res.writeHead(303, { location: to, 'set-cookie': cookies }).end();
  try {
    switch (url.pathname) {
      case '/': {
        const { user, organizationId, role, set } = await current(kept('app'), url.searchParams.has('refresh'));
        res.writeHead(200, { 'content-type': 'text/html', ...(set && { 'set-cookie': set }) }).end(user
          ? `Signed in as ${escape(user.email)}, ${escape(role)} of ${escape(organizationId)}. <a href="/sign-out">Sign out</a>`
          : 'Not signed in. <a href="/sign-in">Sign in</a>');
        return;
      }
      case '/sign-in': {
        const state = randomBytes(16).toString('base64url');
        return go(workos.userManagement.getAuthorizationUrl({
          provider: 'authkit', organizationId: ORGANIZATION, redirectUri: `${home}/callback`, clientId, state,
        }), cookie('state', state));
      }
      case '/callback': {
        const state = url.searchParams.get('state');
        if (!state || kept('state') !== state) throw new Error('this sign-in was not begun here');
        const { sealedSession } = await workos.userManagement.authenticateWithCode({
          code: url.searchParams.get('code'), clientId, session: { sealSession: true, cookiePassword },
        });
        return go('/', cookie('app', sealedSession), gone('state'));
      }
      case '/sign-out': {
        const { session } = await current(kept('app'));
        return go(session ? await session.getLogoutUrl({ returnTo: `${home}/` }) : '/', gone('app'));
      }
    }
    res.writeHead(404).end();
  } catch (error) {
    console.error(error.name, error.message);
    res.writeHead(400, { 'content-type': 'text/plain' }).end(`That did not work: ${error.message}`);
  }
}).listen(PORT, '127.0.0.1', () => console.log(`The app is at ${home}/`));
