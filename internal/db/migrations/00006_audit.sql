-- +goose Up

-- ── event ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Changes that the log has no event for: settings, secrets, applications. Rows are only added; an erasure takes the values out.
CREATE TABLE audit_entries (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,  -- '' for what is the installation's
    action          {{text}} NOT NULL,  -- directory.updated
    target          {{text}} NOT NULL,  -- id of what was changed
    actor_id        {{text}} NOT NULL,
    context         {{text}} NOT NULL,  -- JSON, as events have it
    changes         {{text}} NOT NULL,  -- JSON: by setting what it was and is, without secrets
    created_at      BIGINT NOT NULL
);
CREATE INDEX audit_entries_organization ON audit_entries (organization_id, id);
CREATE INDEX audit_entries_target ON audit_entries (target, id);

-- What the app has told that it has done about an event. The first word counts.
CREATE TABLE event_acknowledgements (
    event_id        {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    actor_id        {{text}} NOT NULL,
    source          {{text}} NOT NULL,
    acknowledged_at BIGINT NOT NULL
);

-- ── lifecycle ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- What each membership was, and from when on: who had access at a time can be told for ever, whatever becomes of events and accounts. Ids and
-- states alone, so that an erasure has nothing to take out. Written by triggers: no way to change a membership passes them by. A membership that
-- a backup puts back has its history already, for tables that refer to none come first.
CREATE TABLE membership_history (
    organization_id {{text}} NOT NULL,
    membership_id   {{text}} NOT NULL,
    version         BIGINT NOT NULL,    -- of the membership
    user_id         {{text}} NOT NULL,
    state           {{text}} NOT NULL,
    is_primary      BOOLEAN NOT NULL,
    role            {{text}} NOT NULL,
    since           BIGINT NOT NULL,
    PRIMARY KEY (organization_id, membership_id, version)
) {{clustered}};

-- Memberships that have just ended, for the receipt that is made after the commit.
CREATE TABLE offboardings_due (
    organization_id   {{text}} NOT NULL,
    membership_id     {{text}} NOT NULL,
    version           BIGINT NOT NULL,
    user_id           {{text}} NOT NULL,
    directory_user_id {{text}},
    state             {{text}} NOT NULL, -- inactive, removed
    why               {{text}} NOT NULL,
    is_primary        BOOLEAN NOT NULL,
    ended_at          BIGINT NOT NULL,
    PRIMARY KEY (organization_id, membership_id, version)
) {{clustered}};

-- One membership that ended. What became of it is looked up until all of it is known or a day has passed; then content is what the receipt says.
CREATE TABLE offboardings (
    id                {{text}} NOT NULL PRIMARY KEY,
    organization_id   {{text}} NOT NULL,
    membership_id     {{text}} NOT NULL,
    version           BIGINT NOT NULL,
    user_id           {{text}} NOT NULL,
    state             {{text}} NOT NULL, -- of the membership: inactive, removed
    why               {{text}} NOT NULL,
    cause             {{text}} NOT NULL, -- JSON: the context of its event
    requested_at      BIGINT,            -- NULL: by hand, or not known yet
    ended_at          BIGINT NOT NULL,   -- in the transaction
    sessions          BIGINT NOT NULL,   -- that ended with it
    events            {{text}} NOT NULL, -- JSON: those that tell of it
    content           {{text}},          -- JSON: the claims of the receipt; NULL while they may change
    next_at           BIGINT,            -- looked at again; NULL once it is frozen
    created_at        BIGINT NOT NULL,   -- seen to be committed, so it was no later
    frozen_at         BIGINT
);
CREATE UNIQUE INDEX offboardings_once ON offboardings (organization_id, membership_id, version);
CREATE INDEX offboardings_organization ON offboardings (organization_id, id);
CREATE INDEX offboardings_next ON offboardings (next_at) WHERE next_at IS NOT NULL;

-- +only sqlite
-- +goose StatementBegin
CREATE TRIGGER membership_history_begins AFTER INSERT ON organization_memberships
BEGIN
    INSERT INTO membership_history (organization_id, membership_id, version, user_id, state, is_primary, role, since)
        SELECT NEW.organization_id, NEW.id, NEW.version, NEW.user_id, NEW.state, NEW.is_primary, NEW.role, NEW.updated_at
        WHERE NOT EXISTS (SELECT 1 FROM membership_history h WHERE h.organization_id = NEW.organization_id AND h.membership_id = NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER membership_history_goes_on AFTER UPDATE ON organization_memberships
    WHEN OLD.state IS NOT NEW.state OR OLD.is_primary IS NOT NEW.is_primary OR OLD.role IS NOT NEW.role
BEGIN
    INSERT INTO membership_history (organization_id, membership_id, version, user_id, state, is_primary, role, since)
        VALUES (NEW.organization_id, NEW.id, NEW.version, NEW.user_id, NEW.state, NEW.is_primary, NEW.role, NEW.updated_at)
        ON CONFLICT (organization_id, membership_id, version) DO UPDATE
            SET state = excluded.state, is_primary = excluded.is_primary, role = excluded.role, since = excluded.since;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER membership_ends AFTER UPDATE ON organization_memberships
    WHEN OLD.state = 'active' AND NEW.state IN ('inactive', 'removed')
BEGIN
    INSERT INTO offboardings_due (organization_id, membership_id, version, user_id, directory_user_id, state, why, is_primary, ended_at)
        VALUES (NEW.organization_id, NEW.id, NEW.version, NEW.user_id, COALESCE(OLD.directory_user_id, NEW.directory_user_id), NEW.state, NEW.why,
            OLD.is_primary, NEW.updated_at) ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd
-- +end
-- +only postgres
-- +goose StatementBegin
CREATE FUNCTION membership_history_written() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO membership_history (organization_id, membership_id, version, user_id, state, is_primary, role, since)
            SELECT NEW.organization_id, NEW.id, NEW.version, NEW.user_id, NEW.state, NEW.is_primary, NEW.role, NEW.updated_at
            WHERE NOT EXISTS (SELECT 1 FROM membership_history h WHERE h.organization_id = NEW.organization_id AND h.membership_id = NEW.id);
        RETURN NULL;
    END IF;
    INSERT INTO membership_history (organization_id, membership_id, version, user_id, state, is_primary, role, since)
        VALUES (NEW.organization_id, NEW.id, NEW.version, NEW.user_id, NEW.state, NEW.is_primary, NEW.role, NEW.updated_at)
        ON CONFLICT (organization_id, membership_id, version) DO UPDATE
            SET state = excluded.state, is_primary = excluded.is_primary, role = excluded.role, since = excluded.since;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION membership_ended() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO offboardings_due (organization_id, membership_id, version, user_id, directory_user_id, state, why, is_primary, ended_at)
        VALUES (NEW.organization_id, NEW.id, NEW.version, NEW.user_id, COALESCE(OLD.directory_user_id, NEW.directory_user_id), NEW.state, NEW.why,
            OLD.is_primary, NEW.updated_at) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER membership_history_begins AFTER INSERT ON organization_memberships
    FOR EACH ROW EXECUTE FUNCTION membership_history_written();
CREATE TRIGGER membership_history_goes_on AFTER UPDATE ON organization_memberships
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.is_primary IS DISTINCT FROM NEW.is_primary OR OLD.role IS DISTINCT FROM NEW.role)
    EXECUTE FUNCTION membership_history_written();
CREATE TRIGGER membership_ends AFTER UPDATE ON organization_memberships
    FOR EACH ROW WHEN (OLD.state = 'active' AND NEW.state IN ('inactive', 'removed')) EXECUTE FUNCTION membership_ended();
-- +end

-- What is known of the time before: members who are in have been since they joined, others are what they are since their last change.
INSERT INTO membership_history (organization_id, membership_id, version, user_id, state, is_primary, role, since)
    SELECT organization_id, id, version, user_id, state, is_primary, role,
        CASE WHEN state = 'active' THEN COALESCE(joined_at, created_at) ELSE updated_at END
    FROM organization_memberships;

-- ── issuer ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- When the application last asked about a token, to the minute; NULL: never.
ALTER TABLE applications ADD COLUMN introspected_at BIGINT;
