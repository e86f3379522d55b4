// oidc-provider with its own development pages for signing in and consent. Settings come by the environment, packages from the
// folder that PEER_MODULES names.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.PEER_MODULES + '/');
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);
const client = JSON.parse(process.env.PEER_CLIENT);
const issuer = process.env.PEER_ISSUER;

const provider = new Provider(issuer, {
  clients: [{
    client_id: client.ID, client_secret: client.Secret, redirect_uris: [client.RedirectURI], response_types: ['code'],
    grant_types: ['authorization_code'], token_endpoint_auth_method: client.Method, id_token_signed_response_alg: 'ES256',
  }],
  jwks: { keys: [JSON.parse(process.env.PEER_KEY)] },
  cookies: { keys: ['interop'] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name', 'name'] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: async () => ({
      sub, email: sub, email_verified: true, given_name: 'Grace', family_name: 'Hopper', name: 'Grace Hopper',
    }),
  }),
});
provider.on('server_error', (_, error) => console.error(error));
const { hostname, port } = new URL(issuer);
provider.listen(Number(port), hostname, () => console.log('listening'));
