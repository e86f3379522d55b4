// An application on openid-client: signs people in at PEER_ISSUER and answers with what it learned.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.PEER_MODULES + '/');
const oidc = await import(pathToFileURL(require.resolve('openid-client')).href);
const app = JSON.parse(process.env.PEER_CLIENT);
const config = await oidc.discovery(new URL(process.env.PEER_ISSUER), app.ID, undefined, oidc.ClientSecretBasic(app.Secret), {
  execute: [oidc.allowInsecureRequests], // the loopback has no certificate
});
const extra = JSON.parse(process.env.PEER_PARAMETERS || '{}');
const started = new Map(); // state to what the callback has to bring back

const routes = {
  '/': async (_, response) => {
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    started.set(state, { verifier, nonce });
    const to = oidc.buildAuthorizationUrl(config, {
      redirect_uri: app.RedirectURI, scope: 'openid profile email offline_access', state, nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
    });
    response.writeHead(302, { location: to.href }).end();
  },
  '/callback': async (request, response) => {
    const url = new URL(request.url, app.RedirectURI);
    const state = url.searchParams.get('state');
    const mine = started.get(state);
    const tokens = await oidc.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: mine.verifier, expectedState: state, expectedNonce: mine.nonce, idTokenExpected: true,
    });
    const claims = tokens.claims();
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    const about = { claims: { ...claims, ...userinfo } };
    if (process.env.PEER_FULL) {
      about.introspection = await oidc.tokenIntrospection(config, tokens.access_token);
      const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
      about.refreshed = (await oidc.fetchUserInfo(config, fresh.access_token, claims.sub)).sub;
      await oidc.tokenRevocation(config, fresh.access_token);
      about.afterRevocation = await oidc.tokenIntrospection(config, fresh.access_token);
      about.endSession = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }).href;
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(about));
  },
};

const { hostname, port } = new URL(app.RedirectURI);
createServer(async (request, response) => {
  try {
    const route = routes[new URL(request.url, app.RedirectURI).pathname];
    if (!route) {
      response.writeHead(404).end();
      return;
    }
    await route(request, response);
  } catch (error) {
    response.writeHead(500).end(String(error.stack) + '\n' + JSON.stringify(error.cause ?? null));
  }
}).listen(Number(port), hostname);
