import assert from 'node:assert/strict';

import { isTime, names, refused } from './play.mjs';

export async function directories({ workos, organization, directory }) {
  const owner = await organization();
  const feed = await directory(owner.id);
  const other = await directory(owner.id);

  const listed = await workos.directorySync.listDirectories({ organizationId: owner.id });
  assert.deepEqual(listed.data.map((d) => d.id), [other.id, feed.id]);
  assert.equal(listed.data[0].state, 'inactive'); // WorkOS's "unlinked"
  const one = await workos.directorySync.listDirectories({ organizationId: owner.id, limit: 1 });
  assert.deepEqual(one.data.map((d) => d.id), [other.id]);
  const next = await workos.directorySync.listDirectories({ organizationId: owner.id, limit: 1, after: one.listMetadata.after });
  assert.deepEqual(next.data.map((d) => d.id), [feed.id]);
  assert.deepEqual(await listed.autoPagination(), listed.data);

  const ann = await feed.person('ann', {
    title: 'Engineer',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { employeeNumber: '7', department: 'R&D', costCenter: '4711' },
  });
  const bob = await feed.person('bob');
  const eve = await feed.person('eve', { active: false });
  const crew = await feed.group('Crew', ann.id, bob.id);
  const staff = await feed.group('Staff', ann.id);

  const got = await workos.directorySync.getDirectory(feed.id);
  assert.equal(got.object, 'directory');
  assert.equal(got.state, 'active');
  assert.equal(got.organizationId, owner.id);
  assert.equal(got.type, 'okta scim v2.0');
  isTime(got.createdAt);
  const found = await workos.directorySync.listDirectories({ search: got.name });
  assert.deepEqual(found.data, [got]);

  const users = await workos.directorySync.listUsers({ directory: feed.id });
  assert.deepEqual(users.data.map((u) => u.id), [eve.id, bob.id, ann.id]);
  assert.deepEqual(await users.autoPagination(), users.data);
  const first = await workos.directorySync.listUsers({ directory: feed.id, order: 'asc', limit: 2 });
  assert.deepEqual(first.data.map((u) => u.id), [ann.id, bob.id]);
  const last = await workos.directorySync.listUsers({ directory: feed.id, order: 'asc', limit: 2, after: first.listMetadata.after });
  assert.deepEqual(last.data.map((u) => u.id), [eve.id]);
  assert.deepEqual(names((await workos.directorySync.listUsers({ group: crew.id })).data, 'email'), ['ann@example.com', 'bob@example.com']);

  const user = await workos.directorySync.getUser(ann.id);
  assert.deepEqual(user, users.data[2]);
  assert.equal(user.object, 'directory_user');
  assert.equal(user.directoryId, feed.id);
  assert.equal(user.organizationId, owner.id);
  assert.equal(user.idpId, 'ext-ann');
  assert.equal(user.firstName, 'ann');
  assert.equal(user.lastName, 'Sample');
  assert.equal(user.email, 'ann@example.com');
  assert.equal(user.state, 'active');
  assert.deepEqual(names(user.groups), ['Crew', 'Staff']);
  assert.equal(user.rawAttributes.userName, 'ann@example.com');
  assert.equal(user.customAttributes.job_title, 'Engineer');
  assert.equal(user.customAttributes.department_name, 'R&D');
  assert.equal(user.customAttributes.cost_center_name, '4711');
  assert.equal(user.customAttributes.employee_number, '7');
  isTime(user.createdAt);
  assert.equal((await workos.directorySync.getUser(eve.id)).state, 'inactive');

  const groups = await workos.directorySync.listGroups({ directory: feed.id });
  assert.deepEqual(groups.data.map((g) => g.id), [staff.id, crew.id]);
  assert.deepEqual(names((await workos.directorySync.listGroups({ user: bob.id })).data), ['Crew']);
  const group = await workos.directorySync.getGroup(crew.id);
  assert.deepEqual(group, groups.data[1]);
  assert.equal(group.name, 'Crew');
  assert.equal(group.directoryId, feed.id);
  assert.equal(group.organizationId, owner.id);
  isTime(group.updatedAt);

  await refused(workos.directorySync.listUsers({}), 'UnprocessableEntityException');
  await workos.directorySync.deleteDirectory(feed.id);
  await refused(workos.directorySync.getDirectory(feed.id), 'NotFoundException', { code: 'entity_not_found' });
  await refused(workos.directorySync.getUser(ann.id), 'NotFoundException');
  await refused(workos.directorySync.getGroup(crew.id), 'NotFoundException');
  assert.deepEqual((await workos.directorySync.listDirectories({ organizationId: owner.id })).data.map((d) => d.id), [other.id]);
}
