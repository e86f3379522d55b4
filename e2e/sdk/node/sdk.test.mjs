import * as sdk from '@workos-inc/node';
import { play } from '../story/play.mjs';

play(sdk, {
  encodesPaths: true,
  rawPayload: true,
  getDomain: (workos, id) => workos.organizationDomains.getOrganizationDomain(id),
  createDomain: (workos, options) => workos.organizationDomains.createOrganizationDomain(options),
  verifyDomain: (workos, id) => workos.organizationDomains.verifyOrganizationDomain(id),
  deleteDomain: (workos, id) => workos.organizationDomains.deleteOrganizationDomain(id),
  listKeys: (workos, options) => workos.apiKeys.listOrganizationApiKeys(options),
  createKey: (workos, options) => workos.apiKeys.createOrganizationApiKey(options),
  validateKey: (workos, value) => workos.apiKeys.createValidation({ value }),
  webhookEndpoints: true,
  applications: true,
  settings: { maxRetries: 0 },
});
