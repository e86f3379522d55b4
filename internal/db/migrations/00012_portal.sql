-- +goose Up

-- ── itadmin ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- IT contacts: whom we write to about an organization's identity provider, and who may ask for a link to its portal.
CREATE TABLE it_contacts (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL REFERENCES organizations (id),
    email           {{text}} NOT NULL,
    email_key       {{text}} NOT NULL, -- folded, for comparison
    name            {{text}},
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX it_contacts_one ON it_contacts (organization_id, email_key);
CREATE INDEX it_contacts_listed ON it_contacts (organization_id, id);
CREATE INDEX it_contacts_email ON it_contacts (email_key);

-- Links into the portal. One that was mailed names its contact, and opens only with a code that is mailed then.
CREATE TABLE portal_links (
    hash            {{text}} NOT NULL PRIMARY KEY,
    id              {{text}} NOT NULL,
    organization_id {{text}} NOT NULL REFERENCES organizations (id),
    contact_id      {{text}},
    intent          {{text}} NOT NULL, -- '': everything
    return_url      {{text}} NOT NULL,
    success_url     {{text}} NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT             -- of those that open once
);
CREATE INDEX portal_links_organization ON portal_links (organization_id, id);
CREATE INDEX portal_links_contact ON portal_links (contact_id, created_at) WHERE contact_id IS NOT NULL;
CREATE INDEX portal_links_expiry ON portal_links (expires_at);

-- Sessions of the portal: one organization, one intent. Those of a contact are nothing until their code was entered.
CREATE TABLE portal_sessions (
    hash            {{text}} NOT NULL PRIMARY KEY, -- of the cookie
    id              {{text}} NOT NULL,
    organization_id {{text}} NOT NULL REFERENCES organizations (id),
    contact_id      {{text}},
    link_id         {{text}} NOT NULL,
    intent          {{text}} NOT NULL,
    return_url      {{text}} NOT NULL,
    success_url     {{text}} NOT NULL,
    code            {{text}},                      -- sealed; of a contact's
    tries           BIGINT NOT NULL,               -- codes that were entered
    code_expires_at BIGINT,
    created_at      BIGINT NOT NULL,
    verified_at     BIGINT,
    expires_at      BIGINT NOT NULL,
    ended_at        BIGINT
);
CREATE UNIQUE INDEX portal_sessions_id ON portal_sessions (id);
CREATE INDEX portal_sessions_organization ON portal_sessions (organization_id);
CREATE INDEX portal_sessions_contact ON portal_sessions (contact_id, created_at) WHERE contact_id IS NOT NULL;
CREATE INDEX portal_sessions_expiry ON portal_sessions (expires_at);

-- Who has asked for a fresh link: each address that was typed, known or not, so that asking looks and lasts the same. Answered by a worker.
CREATE TABLE portal_asks (
    id         {{text}} NOT NULL PRIMARY KEY,
    email_key  {{text}} NOT NULL,
    created_at BIGINT NOT NULL,
    done_at    BIGINT
);
CREATE INDEX portal_asks_email ON portal_asks (email_key, created_at);
CREATE INDEX portal_asks_open ON portal_asks (id) WHERE done_at IS NULL;
CREATE INDEX portal_asks_age ON portal_asks (created_at);

-- ── event ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Changes that somebody is still to be told of: a row is written with the change, and deleted with the mails about it.
CREATE TABLE change_notices (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    action          {{text}} NOT NULL, -- connection.updated
    target          {{text}} NOT NULL,
    context         {{text}} NOT NULL, -- JSON, as events have it
    details         {{text}} NOT NULL, -- JSON: what the event tells, or what was changed
    created_at      BIGINT NOT NULL
);

-- +goose Down

DROP TABLE change_notices;
DROP TABLE portal_asks;
DROP TABLE portal_sessions;
DROP TABLE portal_links;
DROP TABLE it_contacts;
