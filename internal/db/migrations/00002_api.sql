-- +goose Up

-- Features that the operator has switched, as a JSON object of booleans; what is not named is on. A deleted organization keeps
-- its row, so that events, exchanges and old ids stay accounted for.
ALTER TABLE organizations ADD COLUMN features {{text}} NOT NULL DEFAULT '{}';
ALTER TABLE organizations ADD COLUMN deleted_at BIGINT;

-- Since when proof of a pending domain is waited for, and when it is looked for next. Domains that are pending
-- already are looked at soon, and their time begins then.
ALTER TABLE organization_domains ADD COLUMN pending_since BIGINT;
ALTER TABLE organization_domains ADD COLUMN check_at BIGINT;
UPDATE organization_domains SET check_at = 0 WHERE state = 'pending';
CREATE INDEX organization_domains_check ON organization_domains (check_at) WHERE check_at IS NOT NULL;

-- Keys of an organization. Only the hash is known.
CREATE TABLE api_keys (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL REFERENCES organizations (id),
    name            {{text}} NOT NULL,
    hash            {{text}} NOT NULL,
    hint            {{text}} NOT NULL, -- the last characters
    permissions     {{text}} NOT NULL, -- JSON array
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    expires_at      BIGINT
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_organization ON api_keys (organization_id, id);

-- The first answer to a request with an Idempotency-Key, sealed: it may hold a secret that is shown once.
CREATE TABLE idempotency_answers (
    caller     {{text}} NOT NULL, -- whose key it is
    key_hash   {{text}} NOT NULL, -- of route and Idempotency-Key
    request    {{text}} NOT NULL, -- hash of what was asked
    status     BIGINT,            -- NULL while the first request is under way
    answer     {{text}},
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, key_hash)
) {{clustered}};
CREATE INDEX idempotency_answers_created ON idempotency_answers (created_at);

-- Readers of one organization's events. On PostgreSQL their order is only known when they get their positions, so what is chosen by
-- goes with those, after the commit; the writers say it to the queue (joining it from events there costs more). On SQLite every index
-- ends in the row number, which is seq.
-- +only sqlite
CREATE INDEX events_organization ON events (organization_id);
-- +end
-- +only postgres
ALTER TABLE event_queue ADD COLUMN organization_id {{text}} NOT NULL DEFAULT '', ADD COLUMN type {{text}} NOT NULL DEFAULT '', ADD COLUMN n BIGINT NOT NULL DEFAULT 1;
ALTER TABLE event_positions ADD COLUMN organization_id {{text}} NOT NULL DEFAULT '', ADD COLUMN type {{text}} NOT NULL DEFAULT '', ADD COLUMN n BIGINT NOT NULL DEFAULT 1;
UPDATE event_queue AS q SET organization_id = e.organization_id, type = e.type, n = e.n FROM events AS e WHERE e.seq = q.seq;
UPDATE event_positions AS p SET organization_id = e.organization_id, type = e.type, n = e.n FROM events AS e WHERE e.seq = p.seq;
CREATE INDEX event_positions_organization ON event_positions (organization_id, pos);
CREATE INDEX event_positions_type ON event_positions (type, pos);
CREATE OR REPLACE VIEW event_log AS
    SELECT p.pos, e.id, p.organization_id, p.type, p.n, e.created_at, e.context, e.data
    FROM event_positions p JOIN events e ON e.seq = p.seq;
-- +end

-- Readers of the log that remember how far they have come.
CREATE TABLE event_consumers (
    name            {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}},          -- NULL: all
    types           {{text}} NOT NULL, -- JSON array; empty: all that the contract has
    cursor          {{text}} NOT NULL, -- id of the last event acknowledged; '' before the first
    passed          {{text}} NOT NULL, -- id of a later event up to which there was nothing for it, or ''
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    acknowledged_at BIGINT
);

-- Who is to be forgotten in the log, the exchanges and the deliveries. A row goes when that is done.
CREATE TABLE erasures (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    subject         {{text}} NOT NULL, -- id of the person; '' for the whole organization
    requested_at    BIGINT NOT NULL,
    leased_until    BIGINT             -- a process is at it
);
CREATE INDEX erasures_requested ON erasures (requested_at);

CREATE TABLE webhook_endpoints (
    id               {{text}} NOT NULL PRIMARY KEY,
    url              {{text}} NOT NULL,
    status           {{text}} NOT NULL,
    types            {{text}} NOT NULL, -- JSON array of event types
    secret           {{text}} NOT NULL, -- sealed
    old_secret       {{text}},          -- sealed; signs too until old_secret_until
    old_secret_until BIGINT,
    failing_since    BIGINT,            -- first failure since the last success
    disabled_at      BIGINT,
    disabled_reason  {{text}},
    owner            {{text}},          -- the process that delivers to it
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    deleted_at       BIGINT
);
CREATE UNIQUE INDEX webhook_endpoints_url ON webhook_endpoints (url) WHERE deleted_at IS NULL;
CREATE INDEX webhook_endpoints_living ON webhook_endpoints (id) WHERE deleted_at IS NULL;

-- Processes that deliver. One whose beat stands still is dead, and what it owned is free.
CREATE TABLE webhook_processes (
    process {{text}} NOT NULL PRIMARY KEY,
    beat    BIGINT NOT NULL
);

-- How far the log has been turned into deliveries, the number of the last delivery, and the version of the endpoints: one row,
-- which whoever adds deliveries or changes endpoints has to write.
CREATE TABLE webhook_cursor (
    name    {{text}} NOT NULL PRIMARY KEY,
    cursor  {{text}} NOT NULL, -- id of the last event; '' before the first
    last    BIGINT NOT NULL,
    version BIGINT NOT NULL
);
INSERT INTO webhook_cursor (name, cursor, last, version) VALUES ('log', '', 0, 0);

-- One event for one endpoint. seq is the order in which an endpoint gets them; entity says which of them must not overtake another.
CREATE TABLE webhook_deliveries (
    id              {{text}} NOT NULL PRIMARY KEY,
    seq             BIGINT NOT NULL,
    endpoint_id     {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    event_id        {{text}} NOT NULL,
    type            {{text}} NOT NULL,
    entity          {{text}} NOT NULL,
    replay          BOOLEAN NOT NULL,
    state           {{text}} NOT NULL, -- pending, delivered, failed, cancelled
    reason          {{text}},          -- of failed and cancelled
    attempts        BIGINT NOT NULL,
    next_at         BIGINT,            -- NULL when there is nothing left to do
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT,
    replayed_at     BIGINT
);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (endpoint_id, seq) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_lost ON webhook_deliveries (endpoint_id, id) WHERE state IN ('failed', 'cancelled');
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (endpoint_id, event_id) WHERE NOT replay;

CREATE TABLE webhook_attempts (
    id           {{text}} NOT NULL PRIMARY KEY,
    delivery_id  {{text}} NOT NULL,
    at           BIGINT NOT NULL,
    micros       BIGINT NOT NULL,
    status       BIGINT,            -- of the answer; NULL when there was none
    error        {{text}},
    answer       {{text}}           -- the beginning of its body
);
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery_id, id);

-- Whether consumers have been told that an inactive person is gone (directories that remove inactive people for them), and until
-- when people are looked at again after that setting was changed; NULL when there is nothing to do.
ALTER TABLE directory_users ADD COLUMN hidden BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE directory_users SET hidden = TRUE
    WHERE NOT active AND directory_id IN (SELECT id FROM directories WHERE inactive_users = 'removed');
ALTER TABLE directories ADD COLUMN align_until BIGINT;
CREATE INDEX directories_align ON directories (id) WHERE align_until IS NOT NULL;
