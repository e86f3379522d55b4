// The story that the WorkOS SDKs for Node play. Each area is a test of its own; the argument names the one to play.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { accounts } from './accounts.mjs';
import { apiKeys } from './api_keys.mjs';
import { applications } from './applications.mjs';
import { directories } from './directories.mjs';
import { domains } from './domains.mjs';
import { errors } from './errors.mjs';
import { events } from './events.mjs';
import { limits } from './limits.mjs';
import { organizations } from './organizations.mjs';
import { signIn } from './sign_in.mjs';
import { webhooks } from './webhooks.mjs';

const areas = { organizations, domains, directories, events, webhooks, api_keys: apiKeys, sign_in: signIn, accounts, applications, errors, limits };

// play runs an area with an SDK and what its version does in its own way.
export function play(sdk, version) {
  const name = process.argv[2];
  assert.ok(areas[name], `the argument has to be one of ${Object.keys(areas).join(', ')}`);
  test(name, { timeout: 120_000 }, () => areas[name](world(sdk, version)));
}

// connect gives the SDK as an app sets it up: the base URL is all that differs from WorkOS.
function connect(sdk, version, url, key) {
  const { hostname, port, protocol } = new URL(url);
  return new sdk.WorkOS(key, {
    apiHostname: hostname, port: Number(port), https: protocol === 'https:', clientId: process.env.CLIENT_ID, ...version.settings,
  });
}

function world(sdk, version) {
  const { ROLLCALL_URL: url, LIMITED_URL: limited, API_KEY: key } = process.env;
  const call = async (method, path, body, bearer = key) => {
    const response = await fetch(path.startsWith('http') ? path : url + path, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': path.includes('/scim/') ? 'application/scim+json' : 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    const answer = text ? JSON.parse(text) : null;
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return answer;
  };
  const workos = connect(sdk, version, url, key);
  return {
    sdk, version, workos, call,
    limited: connect(sdk, version, limited, key),
    stranger: connect(sdk, version, url, 'sk_wrong'),
    hooks: process.env.HOOKS_URL,
    organization: (more = {}) => workos.organizations.createOrganization({ name: `Story ${unique()}`, ...more }),
    // directory makes one (WorkOS has no route for it) and speaks to it as an identity provider does.
    async directory(organizationId) {
      const made = await call('POST', '/directories', { organization_id: organizationId, name: `People ${unique()}`, type: 'okta scim v2.0' });
      const scim = (method, path, body) => call(method, made.scim_endpoint + path, body, made.bearer_token);
      return { id: made.id, scim, ...provider(scim) };
    },
  };
}

export const unique = () => randomUUID().replaceAll('-', '');

function provider(scim) {
  return {
    person: (name, more = {}) =>
      scim('POST', '/Users', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
        userName: `${name}@example.com`, externalId: `ext-${name}`, active: true,
        name: { givenName: name, familyName: 'Sample' },
        emails: [{ value: `${name}@example.com`, type: 'work', primary: true }],
        ...more,
      }),
    group: (displayName, ...members) =>
      scim('POST', '/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName, members: members.map((value) => ({ value })),
      }),
    patch: (path, ...Operations) =>
      scim('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations }),
  };
}

// names gives one member of each entry, sorted.
export const names = (list, member = 'name') => list.map((item) => item[member]).sort();

// isTime checks a time as the API writes it.
export function isTime(value) {
  assert.match(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
}

// refused checks that a promise fails with one of the SDK's errors.
export async function refused(promise, name, more = {}) {
  const error = await promise.then(() => assert.fail(`no ${name}`), (e) => e);
  assert.equal(error.name, name, `${error.name}: ${error.message}`);
  for (const [member, wanted] of Object.entries(more)) {
    assert.deepEqual(error[member], wanted, `${name}.${member} (${error.message})`);
  }
  return error;
}

// eventually waits for a value that is not undefined.
export async function eventually(what, look) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail(`waited in vain for ${what}`);
}
