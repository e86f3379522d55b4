import * as sdk from '@workos-inc/node';
import { play } from '../story/play.mjs';

// What version 8 calls otherwise than the newest one.
play(sdk, {
  encodesPaths: false,
  rawPayload: false,
  getDomain: (workos, id) => workos.organizationDomains.get(id),
  createDomain: (workos, options) => workos.organizationDomains.create(options),
  verifyDomain: (workos, id) => workos.organizationDomains.verify(id),
  deleteDomain: (workos, id) => workos.organizationDomains.delete(id),
  listKeys: (workos, options) => workos.organizations.listOrganizationApiKeys(options),
  createKey: (workos, options) => workos.organizations.createOrganizationApiKey(options),
  validateKey: (workos, value) => workos.apiKeys.validateApiKey({ value }),
});
