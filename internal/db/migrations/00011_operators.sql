-- +goose Up

-- ── operator ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- Who may use the dashboard. They belong to the installation and to no organization.
CREATE TABLE operators (
    id              {{text}} NOT NULL PRIMARY KEY,
    email           {{text}} NOT NULL,
    email_key       {{text}} NOT NULL,  -- folded
    name            {{text}} NOT NULL,  -- '' where nobody has said
    role            {{text}} NOT NULL,  -- owner, admin, read_only
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    last_sign_in_at BIGINT,
    removed_at      BIGINT
);
CREATE UNIQUE INDEX operators_email ON operators (email_key) WHERE removed_at IS NULL;

-- One row, held by whatever counts operators before it changes them: the first one, the last owner.
CREATE TABLE operator_gate (
    id BIGINT NOT NULL PRIMARY KEY
);

-- One-time links. One without an operator makes the first.
CREATE TABLE operator_links (
    hash        {{text}} NOT NULL PRIMARY KEY,
    operator_id {{text}},
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE INDEX operator_links_operator ON operator_links (operator_id) WHERE operator_id IS NOT NULL;
CREATE INDEX operator_links_expiry ON operator_links (expires_at);

CREATE TABLE operator_passkeys (
    id            {{text}} NOT NULL PRIMARY KEY,
    operator_id   {{text}} NOT NULL,
    rp_id         {{text}} NOT NULL,    -- the host that it is for
    credential_id {{text}} NOT NULL,    -- base64url
    credential    {{text}} NOT NULL,    -- JSON: public key, counter, flags
    name          {{text}} NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT
);
CREATE UNIQUE INDEX operator_passkeys_credential ON operator_passkeys (rp_id, credential_id);
CREATE INDEX operator_passkeys_operator ON operator_passkeys (operator_id, id);

-- What a browser was asked to sign and has not yet. operator_id is '' for a sign-in, where nobody knows yet who comes.
CREATE TABLE operator_ceremonies (
    hash        {{text}} NOT NULL PRIMARY KEY,
    operator_id {{text}} NOT NULL,
    session     {{text}} NOT NULL,      -- JSON: the challenge and what belongs to it
    expires_at  BIGINT NOT NULL
);
CREATE INDEX operator_ceremonies_expiry ON operator_ceremonies (expires_at);

CREATE TABLE operator_sessions (
    id          {{text}} NOT NULL PRIMARY KEY,
    operator_id {{text}} NOT NULL,
    cookie_hash {{text}} NOT NULL,
    method      {{text}} NOT NULL,      -- link, passkey
    ip          {{text}} NOT NULL,
    user_agent  {{text}} NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE UNIQUE INDEX operator_sessions_cookie ON operator_sessions (cookie_hash);
CREATE INDEX operator_sessions_operator ON operator_sessions (operator_id, id) WHERE ended_at IS NULL;
CREATE INDEX operator_sessions_expiry ON operator_sessions (expires_at);

-- +goose Down

DROP TABLE operator_sessions;
DROP TABLE operator_ceremonies;
DROP TABLE operator_passkeys;
DROP TABLE operator_links;
DROP TABLE operator_gate;
DROP TABLE operators;
