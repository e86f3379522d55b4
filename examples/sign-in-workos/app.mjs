// An app with a "Sign in with SSO" button, with the WorkOS SDK. Rollcall's address is the only line that differs from an app of
// WorkOS's:
//
//   npm ci && ROLLCALL_URL=http://127.0.0.1:8080 ROLLCALL_API_KEY=sk_… ROLLCALL_CLIENT_ID=client_… ORGANIZATION=org_… npm start
//
// Its redirect URI is http://127.0.0.1:3000/callback.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { WorkOS } from '@workos-inc/node';

const { ROLLCALL_URL, ROLLCALL_API_KEY, ROLLCALL_CLIENT_ID, ORGANIZATION, PORT = '3000' } = process.env;
const { protocol, hostname, port } = new URL(ROLLCALL_URL);
const workos = new WorkOS(ROLLCALL_API_KEY, {
  apiHostname: hostname, port: port ? Number(port) : undefined, https: protocol === 'https:', clientId: ROLLCALL_CLIENT_ID,
});
const home = `http://127.0.0.1:${PORT}`;
const sessions = new Map();
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

createServer(async (req, res) => {
  const url = new URL(req.url, home);
  let id = /(?:^|; )app=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
  const go = (to, cookie) => res.writeHead(303, { location: to, ...(cookie && { 'set-cookie': `app=${cookie}; HttpOnly; SameSite=Lax; Path=/` }) }).end();
  try {
    switch (url.pathname) {
      case '/': {
        const profile = sessions.get(id)?.profile;
        res.writeHead(200, { 'content-type': 'text/html' }).end(profile
          ? `Signed in as ${escape(profile.email)} of ${escape(profile.organizationId)}`
          : 'Not signed in. <a href="/sign-in">Sign in with SSO</a>');
        return;
      }
      case '/sign-in': {
        id = randomBytes(32).toString('base64url');
        const state = randomBytes(16).toString('base64url');
        sessions.set(id, { state });
        return go(workos.sso.getAuthorizationUrl({ organization: ORGANIZATION, redirectUri: `${home}/callback`, clientId: ROLLCALL_CLIENT_ID, state }), id);
      }
      case '/callback': {
        const state = url.searchParams.get('state');
        if (!state || sessions.get(id)?.state !== state) throw new Error('this sign-in was not begun here');
        const { profile } = await workos.sso.getProfileAndToken({ code: url.searchParams.get('code'), clientId: ROLLCALL_CLIENT_ID });
        id = randomBytes(32).toString('base64url');
        sessions.set(id, { profile });
        return go('/', id);
      }
    }
    res.writeHead(404).end();
  } catch (error) {
    console.error(error.name, error.message);
    res.writeHead(400, { 'content-type': 'text/plain' }).end(`That did not work: ${error.message}`);
  }
}).listen(PORT, '127.0.0.1', () => console.log(`The app is at ${home}/`));
