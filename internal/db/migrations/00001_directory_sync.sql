-- +goose Up

-- What belongs to the whole installation: the hash of a generated management key, and the like.
CREATE TABLE installation (
    name  {{text}} NOT NULL PRIMARY KEY,
    value {{text}} NOT NULL
);

CREATE TABLE organizations (
    id          {{text}} NOT NULL PRIMARY KEY,
    name        {{text}} NOT NULL,
    external_id {{text}},
    metadata    {{text}} NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX organizations_external_id ON organizations (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE organization_domains (
    id                 {{text}} NOT NULL PRIMARY KEY,
    organization_id    {{text}} NOT NULL REFERENCES organizations (id),
    domain             {{text}} NOT NULL,
    state              {{text}} NOT NULL,
    strategy           {{text}} NOT NULL,
    verification_token {{text}} NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);
CREATE UNIQUE INDEX organization_domains_domain ON organization_domains (organization_id, domain);
CREATE INDEX organization_domains_by_domain ON organization_domains (domain);
CREATE UNIQUE INDEX organization_domains_verified ON organization_domains (domain) WHERE state = 'verified';

-- Counts up whenever something that a bearer door remembers has changed: tokens, directories.
INSERT INTO installation (name, value) VALUES ('door_epoch', '1'), ('tally_lock', '');

-- +only postgres
-- Processes that may answer from memory until expires_at, as long as the door epoch is the one they have adopted.
CREATE TABLE door_leases (
    process    {{text}} NOT NULL PRIMARY KEY,
    epoch      BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
-- +end

-- The log. seq is order of insertion; the position a reader follows is event_log.pos.
-- A row may pack the n events of one request that differ only in the member (ids count up from id).
CREATE TABLE events (
    seq             {{serial_pk}},
    id              {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    type            {{text}} NOT NULL,
    n               BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    context         {{text}} NOT NULL,
    data            {{text}} NOT NULL
);
CREATE UNIQUE INDEX events_id ON events (id);

-- +only postgres
-- A sequence becomes visible out of order, so positions are given after commit, under one row lock.
CREATE TABLE event_queue (seq BIGINT NOT NULL);
CREATE TABLE event_positions (
    pos BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL
);
CREATE UNIQUE INDEX event_positions_seq ON event_positions (seq);
CREATE TABLE event_head (last BIGINT NOT NULL);
INSERT INTO event_head (last) VALUES (0);
CREATE VIEW event_log AS
    SELECT p.pos, e.id, e.organization_id, e.type, e.n, e.created_at, e.context, e.data
    FROM event_positions p JOIN events e ON e.seq = p.seq;
-- +end
-- +only sqlite
-- One writer: the row number given inside the transaction is the order of commits.
CREATE VIEW event_log AS
    SELECT seq AS pos, id, organization_id, type, n, created_at, context, data FROM events;
-- +end

CREATE TABLE directories (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL REFERENCES organizations (id),
    address_key     {{text}} NOT NULL,
    label           {{text}},
    name            {{text}} NOT NULL,
    type            {{text}} NOT NULL,
    provider        {{text}} NOT NULL,
    state           {{text}} NOT NULL,
    inactive_users  {{text}} NOT NULL,
    provisioning    {{text}} NOT NULL,
    strict          BOOLEAN NOT NULL,
    extensions      {{text}} NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    deleted_at      BIGINT
);
CREATE UNIQUE INDEX directories_address_key ON directories (address_key);
CREATE UNIQUE INDEX directories_label ON directories (label) WHERE label IS NOT NULL;
CREATE INDEX directories_organization ON directories (organization_id, id);

CREATE TABLE directory_tokens (
    id           {{text}} NOT NULL PRIMARY KEY,
    directory_id {{text}} NOT NULL REFERENCES directories (id),
    hash         {{text}} NOT NULL,
    suffix       {{text}} NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE UNIQUE INDEX directory_tokens_hash ON directory_tokens (hash);
CREATE INDEX directory_tokens_directory ON directory_tokens (directory_id, id);

-- The SCIM document as the provider wrote it, beside what is searched by. Ids grow with time, so (directory_id, id) is
-- also the order of lists.
CREATE TABLE directory_users (
    directory_id  {{text}} NOT NULL,
    id            {{text}} NOT NULL,
    user_name_key {{text}} NOT NULL,
    external_id   {{text}},
    idp_id        {{text}} NOT NULL,
    active        BOOLEAN NOT NULL,
    suspended     BOOLEAN NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    document      {{text}} NOT NULL
);
CREATE UNIQUE INDEX directory_users_id ON directory_users (directory_id, id);
CREATE UNIQUE INDEX directory_users_user_name ON directory_users (directory_id, user_name_key);
CREATE INDEX directory_users_external_id ON directory_users (directory_id, external_id) WHERE external_id IS NOT NULL;
-- Counts the few who are inactive; the tally knows how many there are in all.
CREATE INDEX directory_users_inactive ON directory_users (directory_id) WHERE NOT active;

-- Addresses other than the user name, so that a search by email needs no scan.
CREATE TABLE directory_user_emails (
    directory_id {{text}} NOT NULL,
    email_key    {{text}} NOT NULL,
    user_id      {{text}} NOT NULL,
    PRIMARY KEY (directory_id, email_key, user_id)
) {{clustered}};
CREATE INDEX directory_user_emails_user ON directory_user_emails (directory_id, user_id);

CREATE TABLE directory_groups (
    directory_id     {{text}} NOT NULL,
    id               {{text}} NOT NULL,
    display_name_key {{text}} NOT NULL,
    name_owner       {{text}} NOT NULL, -- the externalId, or '': a name may be taken twice only by two of these
    external_id      {{text}},
    idp_id           {{text}} NOT NULL,
    name             {{text}} NOT NULL,
    version          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    document         {{text}} NOT NULL
);
CREATE UNIQUE INDEX directory_groups_id ON directory_groups (directory_id, id);
CREATE UNIQUE INDEX directory_groups_display_name ON directory_groups (directory_id, display_name_key, name_owner);
CREATE INDEX directory_groups_external_id ON directory_groups (directory_id, external_id) WHERE external_id IS NOT NULL;

-- Members that exist: people (kind user) and nested groups (kind group).
CREATE TABLE directory_group_members (
    directory_id {{text}} NOT NULL,
    group_id     {{text}} NOT NULL,
    member_id    {{text}} NOT NULL,
    kind         {{text}} NOT NULL,
    display      {{text}},
    PRIMARY KEY (directory_id, group_id, member_id)
) {{clustered}};
CREATE INDEX directory_group_members_member ON directory_group_members (directory_id, member_id, group_id);
CREATE INDEX directory_group_members_nested ON directory_group_members (directory_id, group_id, member_id) WHERE kind = 'group';

-- Member values that name nobody yet. They wait for the person to arrive.
CREATE TABLE directory_parked_members (
    directory_id {{text}} NOT NULL,
    value_key    {{text}} NOT NULL,
    group_id     {{text}} NOT NULL,
    value        {{text}} NOT NULL,
    display      {{text}},
    PRIMARY KEY (directory_id, value_key, group_id, value)
) {{clustered}};
CREATE INDEX directory_parked_members_group ON directory_parked_members (directory_id, group_id);

-- Ids that once were: a provider that still sends one is led to the living record.
CREATE TABLE directory_old_ids (
    organization_id {{text}} NOT NULL,
    old_id          {{text}} NOT NULL,
    external_id     {{text}},
    user_name_key   {{text}} NOT NULL,
    kind            {{text}} NOT NULL,
    removed_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, old_id)
) {{clustered}};

-- Exact counts without a hot counter row: writers append a difference, the tally folds them into blocks of the list's
-- order, and a reader adds what is not folded yet.
CREATE TABLE directory_tally_pending (
    seq          {{serial_pk}},
    directory_id {{text}} NOT NULL,
    kind         {{text}} NOT NULL,
    resource_id  {{text}} NOT NULL,
    delta        BIGINT NOT NULL
);
CREATE TABLE directory_tally_blocks (
    directory_id {{text}} NOT NULL,
    kind         {{text}} NOT NULL,
    first_id     {{text}} NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (directory_id, kind, first_id)
) {{clustered}};
CREATE TABLE directory_tally_versions (
    directory_id {{text}} NOT NULL,
    kind         {{text}} NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (directory_id, kind)
) {{clustered}};

CREATE TABLE exchanges (
    id              {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    directory_id    {{text}} NOT NULL,
    at              BIGINT NOT NULL,
    size            BIGINT NOT NULL,
    refused         BOOLEAN NOT NULL,
    token_id        {{text}},
    method          {{text}} NOT NULL,
    path            {{text}} NOT NULL,
    status          BIGINT NOT NULL,
    micros          BIGINT NOT NULL,
    request_id      {{text}} NOT NULL,
    user_agent      {{text}} NOT NULL,
    effect          {{text}} NOT NULL,
    body            {{text}},
    answer          {{text}}
);
-- With the size, so that measuring a directory's share reads the index alone.
CREATE INDEX exchanges_id ON exchanges (directory_id, id, size);
CREATE INDEX exchanges_refused ON exchanges (directory_id, id) WHERE refused;

-- +only postgres
-- Rows of two to eight kilobytes stay whole: compressing each document costs more than the rest of its write. A fifth of a page is
-- left free, so that a changed document finds room beside its old version and no index has to be told.
ALTER TABLE events SET (toast_tuple_target = 8160);
ALTER TABLE exchanges SET (toast_tuple_target = 8160);
ALTER TABLE directory_users SET (toast_tuple_target = 8160, fillfactor = 80);
ALTER TABLE directory_groups SET (toast_tuple_target = 8160, fillfactor = 80);
-- +end
