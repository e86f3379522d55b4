import assert from 'node:assert/strict';

// The server behind this client allows two requests a second. Version 8 tries again by itself, as told, up to three times, so
// many at once are needed to see a refusal.
export async function limits({ limited }) {
  const results = await Promise.allSettled(Array.from({ length: 60 }, () => limited.organizations.listOrganizations()));
  const refusals = results.filter((r) => r.status === 'rejected').map((r) => r.reason);
  assert.ok(refusals.length > 0, 'nothing was refused');
  assert.ok(refusals.length < results.length, 'everything was refused');
  for (const error of refusals) {
    assert.equal(error.name, 'RateLimitExceededException', error.message);
    assert.equal(error.status, 429);
    assert.ok(error.message, 'no message');
    assert.ok(Number.isInteger(error.retryAfter) && error.retryAfter > 0, `retry after ${error.retryAfter}`);
  }
}
