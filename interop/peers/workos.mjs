// An application on the WorkOS SDK for Node: single sign-on as its quick start has it, with another address for the API.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.PEER_MODULES + '/');
const { WorkOS } = await import(pathToFileURL(require.resolve('@workos-inc/node')).href);
const app = JSON.parse(process.env.PEER_CLIENT);
const base = new URL(process.env.PEER_ISSUER);
const workos = new WorkOS(app.Secret, {
  clientId: app.ID, apiHostname: base.hostname, port: Number(base.port), https: base.protocol === 'https:',
});
const selector = JSON.parse(process.env.PEER_PARAMETERS);

const { hostname, port } = new URL(app.RedirectURI);
createServer(async (request, response) => {
  const url = new URL(request.url, app.RedirectURI);
  try {
    if (url.pathname === '/') {
      const to = workos.sso.getAuthorizationUrl({ clientId: app.ID, redirectUri: app.RedirectURI, state: 'workos-state', ...selector });
      response.writeHead(302, { location: to }).end();
    } else if (url.pathname === '/callback') {
      const { profile, accessToken } = await workos.sso.getProfileAndToken({ clientId: app.ID, code: url.searchParams.get('code') });
      const again = await workos.sso.getProfile({ accessToken });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ profile, again, state: url.searchParams.get('state') }));
    } else {
      response.writeHead(404).end();
    }
  } catch (error) {
    response.writeHead(500).end(String(error.stack) + '\n' + JSON.stringify(error));
  }
}).listen(Number(port), hostname);
