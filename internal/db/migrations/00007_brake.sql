-- +goose Up

-- ── directory ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- The brake: when more than brake_share percent and at least brake_people of the active people leave within brake_window minutes, what follows
-- for the rest waits up to brake_hold minutes for a hand.
ALTER TABLE directories ADD COLUMN brake_enabled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE directories ADD COLUMN brake_share BIGINT NOT NULL DEFAULT 10;
ALTER TABLE directories ADD COLUMN brake_people BIGINT NOT NULL DEFAULT 5;
ALTER TABLE directories ADD COLUMN brake_window BIGINT NOT NULL DEFAULT 15;
ALTER TABLE directories ADD COLUMN brake_hold BIGINT NOT NULL DEFAULT 60;
-- Somebody may be held, or kept in: who reads what consumers know looks at directory_held_people too.
ALTER TABLE directories ADD COLUMN holding BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX directories_holding ON directories (id) WHERE holding;

-- waiting: the brake holds the person, and consumers know them as they were; kept: the hold was undone, and they still do; NULL: neither.
ALTER TABLE directory_users ADD COLUMN held {{text}};

-- Whoever counts who has left moves the number, so that of two who do it at once one counts again.
CREATE TABLE directory_brakes (
    directory_id {{text}} NOT NULL PRIMARY KEY,
    number       BIGINT NOT NULL
);

-- Who has left a directory that has the brake on, while it matters.
CREATE TABLE directory_departures (
    directory_id      {{text}} NOT NULL,
    directory_user_id {{text}} NOT NULL,
    left_at           BIGINT NOT NULL,
    PRIMARY KEY (directory_id, directory_user_id)
) {{clustered}};
CREATE INDEX directory_departures_at ON directory_departures (directory_id, left_at);

-- One time that the brake was engaged.
CREATE TABLE directory_holds (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    directory_id    {{text}} NOT NULL,
    state           {{text}} NOT NULL,  -- waiting, released, undone
    reason          {{text}},           -- of the end: by_hand, expired, switched_off, directory_deleted
    people          BIGINT NOT NULL,    -- that were ever held by it
    departed        BIGINT NOT NULL,    -- within the window, when it was engaged
    active          BIGINT NOT NULL,    -- people before the first of them left
    until_at        BIGINT NOT NULL,    -- then it is released by itself
    engaged_at      BIGINT NOT NULL,
    ended_at        BIGINT,
    ended_by        {{text}}            -- id of the actor
);
CREATE INDEX directory_holds_directory ON directory_holds (directory_id, id);
CREATE UNIQUE INDEX directory_holds_waiting ON directory_holds (directory_id) WHERE state = 'waiting';

-- Whom a hold holds, as consumers know them. Once that is settled the row has the ids alone.
CREATE TABLE directory_held_people (
    hold_id           {{text}} NOT NULL,
    directory_user_id {{text}} NOT NULL,
    organization_id   {{text}} NOT NULL,
    directory_id      {{text}} NOT NULL,
    state             {{text}} NOT NULL,  -- waiting, kept, applied, returned
    says              {{text}} NOT NULL,  -- of the directory: inactive, removed
    cause             {{text}} NOT NULL,  -- JSON: the context of the events that wait
    user_name_key     {{text}} NOT NULL,
    external_id       {{text}},
    idp_id            {{text}} NOT NULL,
    version           BIGINT NOT NULL,    -- of the person
    groups            {{text}} NOT NULL,  -- ids, joined by commas: those a removed person was in
    document          {{text}},           -- NULL once it is settled
    user_created_at   BIGINT NOT NULL,
    user_updated_at   BIGINT NOT NULL,
    held_at           BIGINT NOT NULL,
    settled_at        BIGINT,
    PRIMARY KEY (hold_id, directory_user_id)
) {{clustered}};
CREATE UNIQUE INDEX directory_held_people_open ON directory_held_people (directory_id, directory_user_id) WHERE document IS NOT NULL;
-- People whom the directory has removed, by what it may make them again.
CREATE INDEX directory_held_people_user_name ON directory_held_people (directory_id, user_name_key) WHERE document IS NOT NULL;
CREATE INDEX directory_held_people_external_id ON directory_held_people (directory_id, external_id) WHERE document IS NOT NULL AND external_id IS NOT NULL;
CREATE INDEX directory_held_people_person ON directory_held_people (organization_id, directory_user_id);
CREATE INDEX directory_held_people_waiting ON directory_held_people (hold_id) WHERE state = 'waiting';

-- ── member ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- As directory_users.held, for what members have taken over.
ALTER TABLE membership_claims ADD COLUMN held {{text}};
-- What the app was told of a member whom the brake holds; NULL: the state and why themselves.
ALTER TABLE organization_memberships ADD COLUMN told_state {{text}};
ALTER TABLE organization_memberships ADD COLUMN told_why {{text}};
