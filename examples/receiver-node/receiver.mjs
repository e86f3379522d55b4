// A receiver of Rollcall's webhooks that keeps who may use the app. Node alone, nothing to install:
//
//   WEBHOOK_SECRET=whsec_… node receiver.mjs          PORT (8090) and STATE_FILE (receiver.json) can be set too
//
// An app keeps the three tables in its own database, and changes them and `last` in one transaction.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const secret = process.env.WEBHOOK_SECRET ?? '';
const file = process.env.STATE_FILE ?? 'receiver.json';
const tolerance = 5 * 60 * 1000; // milliseconds that a signature may be old, or ahead
const maxBody = 1 << 20;
if (!secret.startsWith('whsec_')) throw new Error('WEBHOOK_SECRET has to be the secret of the webhook endpoint: whsec_…');

// ---- The signature, over the bytes as they came.

const same = (a, b) => a.length === b.length && timingSafeEqual(a, b);
const fresh = (milliseconds) => Math.abs(Date.now() - milliseconds) <= tolerance;

// Standard Webhooks. While the secret rotates there are two signatures, one by each.
function standard(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures = '' } = headers;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const want = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest();
  return fresh(Number(seconds) * 1000) &&
    signatures.split(' ').some((s) => s.startsWith('v1,') && same(Buffer.from(s.slice(3), 'base64'), want));
}

// WorkOS's own header. Its SDK does the same: workos.webhooks.constructEvent({ payload, sigHeader, secret }).
function workos(headers, body) {
  const [, time, signature] = /^t=(\d+), ?v1=([0-9a-f]{64})$/.exec(headers['workos-signature'] ?? '') ?? [];
  if (!time) return false;
  const want = createHmac('sha256', secret).update(`${time}.`).update(body).digest();
  return fresh(Number(time)) && same(Buffer.from(signature, 'hex'), want);
}

const genuine = (headers, body) => ('webhook-signature' in headers ? standard(headers, body) : workos(headers, body));

// ---- The tables.

// last: the newest event applied to each thing, by the thing's id. Ids of events sort by time, so one comparison finds both what
// came twice and what came late. Entries of what is gone stay: they keep an old event from bringing it back.
const empty = { users: {}, groups: {}, members: {}, last: {} };
let state = load();

function load() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return structuredClone(empty);
    throw error;
  }
}

function save() {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

const gone = (thing) => `gone ${thing}`; // when a thing was deleted, beside when it was last changed

// isNews tells whether an event is newer than all that is known of these things.
const isNews = (event, ...things) => things.every((thing) => !(state.last[thing] >= event));

function drop(table, matches) {
  for (const [key, row] of Object.entries(table)) if (matches(row, key)) delete table[key];
}

// end deletes a person or a group, and the memberships up to then: those are not named one by one. What has come back since, and
// was told of earlier, stays.
function end(event, table, column, thing) {
  if (isNews(event, gone(thing))) state.last[gone(thing)] = event;
  drop(state.members, (row, pair) => row[column] === thing && state.last[pair] < event);
  if (!isNews(event, thing)) return;
  delete table[thing];
  state.last[thing] = event;
}

function apply({ id: event, event: type, data }) {
  switch (type) {
    case 'dsync.user.created': // also a return: the same id comes again where inactive_users is "removed"
    case 'dsync.user.updated': // state "inactive" means out, where inactive_users is "kept"
      if (!isNews(event, data.id, gone(data.directory_id))) return;
      state.users[data.id] = {
        id: data.id, directory_id: data.directory_id, email: data.email, active: data.state === 'active',
      };
      state.last[data.id] = event;
      break;
    case 'dsync.user.deleted':
      end(event, state.users, 'user_id', data.id);
      break;
    case 'dsync.group.created':
    case 'dsync.group.updated':
      if (!isNews(event, data.id, gone(data.directory_id))) return;
      state.groups[data.id] = { id: data.id, directory_id: data.directory_id, name: data.name };
      state.last[data.id] = event;
      break;
    case 'dsync.group.deleted':
      end(event, state.groups, 'group_id', data.id);
      break;
    case 'dsync.group.user_added':
    case 'dsync.group.user_removed': {
      const pair = `${data.group.id} ${data.user.id}`;
      if (!isNews(event, pair, gone(data.user.id), gone(data.group.id), gone(data.directory_id))) return;
      delete state.members[pair];
      if (type.endsWith('added')) {
        state.members[pair] = { group_id: data.group.id, user_id: data.user.id, directory_id: data.directory_id };
      }
      state.last[pair] = event;
      break;
    }
    case 'dsync.deleted': // all that was in the directory goes with it, without events of its own
      for (const table of [state.users, state.groups, state.members]) drop(table, (row) => row.directory_id === data.id);
      state.last[gone(data.id)] = event;
      break;
    default: // a type that was subscribed to and is not needed here
      return;
  }
  save(); // before the answer: what was answered with 2xx is not sent again
}

// ---- HTTP.

const server = createServer((request, response) => {
  const answer = (status, text = '') => response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  if (request.method === 'GET' && request.url === '/state') return answer(200, JSON.stringify(shown()));
  if (request.method !== 'POST' || request.url !== '/webhooks') return answer(404);
  const parts = [];
  let size = 0;
  request.on('data', (part) => {
    if ((size += part.length) <= maxBody) return parts.push(part);
    answer(413);
    request.destroy();
  });
  request.on('end', () => {
    const body = Buffer.concat(parts);
    if (!genuine(request.headers, body)) return answer(400);
    try {
      apply(JSON.parse(body.toString('utf8')));
      answer(200);
    } catch (error) { // it comes again
      console.error(error);
      answer(500);
    }
  });
});

// shown is what the tables hold, sorted.
function shown() {
  const rows = (table) => Object.keys(table).sort().map((key) => table[key]);
  return { users: rows(state.users), groups: rows(state.groups), members: rows(state.members) };
}

server.listen(Number(process.env.PORT ?? 8090), '127.0.0.1', () => {
  console.log(`receiving at http://127.0.0.1:${server.address().port}/webhooks`);
});
