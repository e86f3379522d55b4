-- +goose Up

-- ── alert ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What is wrong, and what was: one row for each thing that can be wrong with something, used again when it comes back.
CREATE TABLE alerts (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL, -- '' for what is the installation's
    kind            {{text}} NOT NULL, -- wrong_token, webhook_failing, …
    subject         {{text}} NOT NULL, -- id of the directory, connection or webhook endpoint
    name            {{text}} NOT NULL, -- what it is called
    stage           BIGINT NOT NULL,   -- how bad it is, from 1
    facts           {{text}} NOT NULL, -- JSON; nothing of persons
    since           BIGINT NOT NULL,   -- when the trouble began
    opened_at       BIGINT NOT NULL,   -- when it was noticed, the last time
    seen_at         BIGINT NOT NULL,   -- when it was last there, to within some minutes
    told_stage      BIGINT NOT NULL,   -- how bad it was when it was mailed; 0: it was not, this time
    told_at         BIGINT,            -- when it was last mailed that something is wrong, this time or another
    closed_at       BIGINT             -- NULL while it is open
);
CREATE UNIQUE INDEX alerts_one ON alerts (organization_id, kind, subject);
CREATE INDEX alerts_open ON alerts (id) WHERE closed_at IS NULL;
CREATE INDEX alerts_open_of ON alerts (organization_id, id) WHERE closed_at IS NULL;
CREATE INDEX alerts_closed ON alerts (closed_at) WHERE closed_at IS NOT NULL;

-- How long directories whose providers send in rounds are silent when all is well.
CREATE TABLE alert_rhythms (
    directory_id    {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    watched_at      BIGINT NOT NULL, -- since when
    contact_at      BIGINT NOT NULL, -- the round before this one
    window_at       BIGINT NOT NULL, -- since when longest is of
    longest         BIGINT NOT NULL, -- µs between two rounds
    longest_before  BIGINT NOT NULL  -- the same, of the window before
);
CREATE INDEX alert_rhythms_organization ON alert_rhythms (organization_id);

-- ── directory ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Requests that came with a good token and were refused, which are few among all.
CREATE INDEX exchanges_failed ON exchanges (directory_id, id) WHERE status >= 400 AND NOT refused;

-- ── sso ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- When the client secret ends, as whoever entered it has told; NULL: nobody has.
ALTER TABLE connections ADD COLUMN client_secret_expires_at BIGINT;
CREATE INDEX connections_secret_ends ON connections (client_secret_expires_at) WHERE client_secret_expires_at IS NOT NULL AND deleted_at IS NULL;

-- +goose Down

DROP INDEX connections_secret_ends;
ALTER TABLE connections DROP COLUMN client_secret_expires_at;
DROP INDEX exchanges_failed;
DROP TABLE alert_rhythms;
DROP TABLE alerts;
