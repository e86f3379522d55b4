import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

import { eventually, isTime, refused, unique } from './play.mjs';

export async function webhooks(w) {
  const receiver = await receive(w);
  try {
    await delivered(w, receiver);
    if (w.version.webhookEndpoints) await endpoints(w);
  } finally {
    receiver.close();
  }
}

// receive keeps what is delivered.
async function receive({ hooks }) {
  const got = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => {
      got.push({ headers: request.headers, body });
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { got, url: `${hooks}/${server.address().port}/hook`, close: () => { server.closeAllConnections(); server.close(); } };
}

async function subscribe({ workos, version, call }, endpointUrl, events) {
  if (version.webhookEndpoints) return workos.webhooks.createWebhookEndpoint({ endpointUrl, events });
  const made = await call('POST', '/webhook_endpoints', { endpoint_url: endpointUrl, events });
  return { ...made, endpointUrl: made.endpoint_url };
}

async function delivered(w, receiver) {
  const { workos, version } = w;
  const endpoint = await subscribe(w, receiver.url, ['organization.created', 'organization.updated']);
  const owner = await w.organization({ name: `R&D <${unique()}> "é"\u2028` });

  const { headers, body } = await eventually('the delivery', () => receiver.got.find((d) => d.body.includes(owner.id)));
  const { secret } = endpoint;
  const sigHeader = headers['workos-signature'];
  const payload = version.rawPayload ? body : JSON.parse(body);

  const event = await workos.webhooks.constructEvent({ payload, sigHeader, secret });
  assert.equal(event.event, 'organization.created');
  assert.deepEqual(event.data, owner);
  const { data: [listed] } = await workos.events.listEvents({ events: ['organization.created'], organizationId: owner.id });
  assert.deepEqual(event, listed, 'the delivery is not what /events shows');

  const verify = (more) => workos.webhooks.constructEvent({ payload, sigHeader, secret, ...more });
  await refused(verify({ secret: 'whsec_wrong' }), 'SignatureVerificationException');
  const forged = body.replace('organization.created', 'organization.updated');
  await refused(verify({ payload: version.rawPayload ? forged : JSON.parse(forged) }), 'SignatureVerificationException');
  const old = Date.now() - 10 * 60_000;
  const stale = `t=${old}, v1=${createHmac('sha256', secret).update(`${old}.${body}`).digest('hex')}`;
  const late = await refused(verify({ sigHeader: stale }), 'SignatureVerificationException');
  assert.match(late.message, /tolerance/);
  await verify({ sigHeader: stale, tolerance: 11 * 60_000 }); // it was the age alone

  // The same request carries Standard Webhooks.
  assert.equal(headers['webhook-id'], event.id);
  assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 120, `time ${headers['webhook-timestamp']}`);
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${event.id}.${headers['webhook-timestamp']}.${body}`).digest('base64');
  assert.ok(headers['webhook-signature'].split(' ').includes(`v1,${signature}`), headers['webhook-signature']);

  await w.call('DELETE', `/webhook_endpoints/${endpoint.id}`);
}

async function endpoints({ workos, hooks }) {
  const endpointUrl = `${hooks}/1/${unique()}`;
  const made = await workos.webhooks.createWebhookEndpoint({ endpointUrl, events: ['dsync.user.created', 'dsync.user.deleted'] });
  assert.equal(made.object, 'webhook_endpoint');
  assert.equal(made.endpointUrl, endpointUrl);
  assert.equal(made.status, 'enabled');
  assert.deepEqual(made.events.toSorted(), ['dsync.user.created', 'dsync.user.deleted']);
  assert.match(made.secret, /^whsec_/);
  isTime(made.createdAt.toISOString());

  const listed = await (await workos.webhooks.listWebhookEndpoints()).autoPagination();
  assert.deepEqual(listed.find((e) => e.id === made.id), made);
  const changed = await workos.webhooks.updateWebhookEndpoint({ id: made.id, status: 'disabled', events: ['dsync.user.updated'] });
  assert.equal(changed.status, 'disabled');
  assert.deepEqual(changed.events, ['dsync.user.updated']);
  assert.equal(changed.endpointUrl, endpointUrl);

  await refused(workos.webhooks.createWebhookEndpoint({ endpointUrl, events: ['dsync.user.created'] }), 'ConflictException', { code: 'duplicate_endpoint' });
  for (const target of ['http://10.1.2.3/hook', 'http://169.254.169.254/', 'ftp://example.com/', 'nonsense']) {
    await refused(workos.webhooks.createWebhookEndpoint({ endpointUrl: target, events: ['dsync.user.created'] }), 'UnprocessableEntityException', { code: 'invalid_url' });
  }
  await refused(workos.webhooks.updateWebhookEndpoint({ id: made.id, events: ['no.such'] }), 'UnprocessableEntityException');
  await workos.webhooks.deleteWebhookEndpoint({ id: made.id });
  await refused(workos.webhooks.updateWebhookEndpoint({ id: made.id, status: 'enabled' }), 'NotFoundException', { code: 'entity_not_found' });
  await refused(workos.webhooks.deleteWebhookEndpoint({ id: made.id }), 'NotFoundException');
}
