// An app that knows its customers' people, with the WorkOS SDK. Rollcall's address is the only line that differs from an app of
// WorkOS's:
//
//   npm ci && ROLLCALL_URL=http://127.0.0.1:8080 ROLLCALL_API_KEY=sk_… ROLLCALL_CLIENT_ID=client_… npm start
//
// It prints the people of every directory, then what has happened since it was last started. FOLLOW=1 keeps it waiting for more.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkOS } from '@workos-inc/node';

const { protocol, hostname, port } = new URL(process.env.ROLLCALL_URL ?? 'http://127.0.0.1:8080');
const workos = new WorkOS(process.env.ROLLCALL_API_KEY, {
  apiHostname: hostname, port: port ? Number(port) : undefined, https: protocol === 'https:',
  clientId: process.env.ROLLCALL_CLIENT_ID,
});

const directories = await workos.directorySync.listDirectories();
for (const directory of await directories.autoPagination()) {
  console.log(`${directory.name} (${directory.state})`);
  const users = await workos.directorySync.listUsers({ directory: directory.id });
  for (const user of await users.autoPagination()) {
    console.log(`  ${user.email}, ${user.state}, in ${user.groups.map((g) => g.name).join(' and ') || 'no group'}`);
  }
}

// The id of the last event that was dealt with is all there is to remember. An app keeps it beside what it made of the event.
const cursorFile = process.env.CURSOR_FILE ?? 'cursor';
let after = existsSync(cursorFile) ? readFileSync(cursorFile, 'utf8') : undefined;
const events = [
  'dsync.user.created', 'dsync.user.updated', 'dsync.user.deleted',
  'dsync.group.created', 'dsync.group.updated', 'dsync.group.deleted', 'dsync.group.user_added', 'dsync.group.user_removed',
  'dsync.deleted',
];
for (;;) {
  const page = await workos.events.listEvents({ events, limit: 100, ...(after && { after }) });
  for (const event of page.data) {
    const { user, group } = event.data;
    console.log(`${event.createdAt}  ${event.event}  ${user ? `${user.email} ${group.name}` : event.data.email ?? event.data.name}`);
    after = event.id;
    writeFileSync(cursorFile, after);
  }
  if (page.data.length > 0) continue;
  if (!process.env.FOLLOW) break;
  await sleep(1000);
}
