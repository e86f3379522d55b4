-- +goose Up

-- ── access ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What a member may be, and what each role may do. organization_id '' is the installation's own: every organization has it.
CREATE TABLE roles (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    slug            {{text}} NOT NULL,
    name            {{text}} NOT NULL,
    description     {{text}},
    permissions     {{text}} NOT NULL,  -- JSON array of slugs
    priority        BIGINT NOT NULL,    -- smaller goes first where several are mapped
    is_admin        BOOLEAN NOT NULL DEFAULT FALSE, -- an organization that has such members never loses the last by a mapping
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX roles_slug ON roles (organization_id, slug);

CREATE TABLE permissions (
    id          {{text}} NOT NULL PRIMARY KEY,
    slug        {{text}} NOT NULL,
    name        {{text}} NOT NULL,
    description {{text}},
    is_system   BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX permissions_slug ON permissions (slug);

-- Teams, the contract's organization groups. One that follows a directory group has its name and people from there.
CREATE TABLE teams (
    id                 {{text}} NOT NULL PRIMARY KEY,
    organization_id    {{text}} NOT NULL,
    name               {{text}} NOT NULL,
    description        {{text}},
    directory_id       {{text}},
    directory_group_id {{text}},
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);
CREATE INDEX teams_organization ON teams (organization_id, id);
CREATE UNIQUE INDEX teams_followed ON teams (organization_id, directory_id, directory_group_id) WHERE directory_group_id IS NOT NULL;

CREATE TABLE team_members (
    organization_id {{text}} NOT NULL,
    team_id         {{text}} NOT NULL,
    membership_id   {{text}} NOT NULL,
    put_by          {{text}} NOT NULL,  -- hand, invitation, mapping
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, team_id, membership_id)
) {{clustered}};
CREATE INDEX team_members_member ON team_members (organization_id, membership_id);

CREATE TABLE licence_types (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    slug            {{text}} NOT NULL,
    name            {{text}} NOT NULL,
    seats           BIGINT,             -- NULL: as many as are wanted
    over_limit      {{text}} NOT NULL,  -- admit (without licence), refuse
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX licence_types_slug ON licence_types (organization_id, slug);

-- What a directory or a connection drives. Nothing is driven that is not switched on.
CREATE TABLE mappings (
    organization_id {{text}} NOT NULL,
    source_id       {{text}} NOT NULL,  -- the directory or the connection
    drives_roles    BOOLEAN NOT NULL,
    drives_teams    BOOLEAN NOT NULL,
    drives_licences BOOLEAN NOT NULL,
    teams_follow    BOOLEAN NOT NULL,   -- each group is a team of its name
    rules           {{text}} NOT NULL,  -- JSON
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, source_id)
) {{clustered}};

-- ── member ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- When and by which organization's directory the account was deprovisioned; NULL: it is not.
ALTER TABLE users ADD COLUMN deprovisioned_at BIGINT;
ALTER TABLE users ADD COLUMN deprovisioned_by {{text}};

-- What is claimed about a membership; its state follows from that. joined_by: sign_in, invitation, directory, api.
ALTER TABLE organization_memberships ADD COLUMN joined_at BIGINT;
ALTER TABLE organization_memberships ADD COLUMN joined_by {{text}};
ALTER TABLE organization_memberships ADD COLUMN blocked_at BIGINT;
ALTER TABLE organization_memberships ADD COLUMN blocked_by {{text}};
ALTER TABLE organization_memberships ADD COLUMN removed_at BIGINT;
ALTER TABLE organization_memberships ADD COLUMN role_by {{text}};        -- hand, invitation, mapping; NULL: nobody's word, the default
ALTER TABLE organization_memberships ADD COLUMN given_role {{text}};     -- by hand or invitation; what a mapping covers comes back
ALTER TABLE organization_memberships ADD COLUMN licence {{text}};        -- the slug that is held
ALTER TABLE organization_memberships ADD COLUMN wanted_licence {{text}}; -- where none was left
ALTER TABLE organization_memberships ADD COLUMN given_licence {{text}};
ALTER TABLE organization_memberships ADD COLUMN custom_attributes {{text}} NOT NULL DEFAULT '{}';
ALTER TABLE organization_memberships ADD COLUMN invitation_id {{text}};
CREATE INDEX organization_memberships_licence ON organization_memberships (organization_id, licence) WHERE licence IS NOT NULL;
UPDATE organization_memberships SET joined_at = created_at, joined_by = 'sign_in' WHERE state <> 'pending';
UPDATE organization_memberships SET blocked_at = updated_at WHERE state = 'inactive' AND why = 'deactivated';
UPDATE organization_memberships SET removed_at = updated_at WHERE state = 'removed';

-- What a directory says of a person, as members last took it over. membership_id is NULL while nobody is meant (no address, existing only).
CREATE TABLE membership_claims (
    organization_id   {{text}} NOT NULL,
    directory_id      {{text}} NOT NULL,
    directory_user_id {{text}} NOT NULL,
    membership_id     {{text}},
    says              {{text}} NOT NULL,  -- active, inactive, removed
    provisioning      {{text}} NOT NULL,  -- invite, direct, existing_only
    outcome           {{text}} NOT NULL,  -- what was done, or why nothing
    claim             {{text}} NOT NULL,  -- JSON: names, address, what is mapped
    frozen_at         BIGINT,             -- the directory is gone: what it said last stands, and bars nobody
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (organization_id, directory_id, directory_user_id)
) {{clustered}};
CREATE INDEX membership_claims_member ON membership_claims (organization_id, membership_id) WHERE membership_id IS NOT NULL;

CREATE TABLE invitations (
    id                {{text}} NOT NULL PRIMARY KEY,
    organization_id   {{text}} NOT NULL,  -- '' for an invitation to the app alone
    email             {{text}} NOT NULL,
    email_key         {{text}} NOT NULL,
    state             {{text}} NOT NULL,  -- pending, accepted, revoked; expired is told by the time
    token_hash        {{text}} NOT NULL,
    token             {{text}},           -- sealed, while it is pending: the API shows it
    role              {{text}},
    teams             {{text}} NOT NULL,  -- JSON array of team ids
    licence           {{text}},
    inviter_user_id   {{text}},
    accepted_user_id  {{text}},
    membership_id     {{text}},           -- the pending membership
    directory_id      {{text}},           -- born from a directory: valid while it wants the person
    directory_user_id {{text}},
    locale            {{text}},
    sent              BIGINT NOT NULL,    -- how often it was mailed
    expires_at        BIGINT NOT NULL,
    accepted_at       BIGINT,
    revoked_at        BIGINT,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_token ON invitations (token_hash);
CREATE UNIQUE INDEX invitations_pending ON invitations (organization_id, email_key) WHERE state = 'pending';
CREATE INDEX invitations_organization ON invitations (organization_id, id);
CREATE INDEX invitations_email ON invitations (email_key, id);
CREATE INDEX invitations_membership ON invitations (membership_id) WHERE membership_id IS NOT NULL;

-- ── directory ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- NULL: it collects silently until it goes live.
ALTER TABLE directories ADD COLUMN live_at BIGINT;
UPDATE directories SET live_at = created_at;
-- Everybody is looked at again: reapply_after is the person after whom to go on, NULL when no pass is under way; reapply_again_at is when
-- the next pass begins; reapply_total how many people the pass began with, reapply_cause the context of the events it becomes.
ALTER TABLE directories ADD COLUMN reapply_after {{text}};
ALTER TABLE directories ADD COLUMN reapply_again_at BIGINT;
ALTER TABLE directories ADD COLUMN reapply_total BIGINT;
ALTER TABLE directories ADD COLUMN reapply_cause {{text}};

-- People whom members have to look at again. cause is the context of the event that it becomes.
CREATE TABLE directory_people_due (
    directory_id      {{text}} NOT NULL,
    directory_user_id {{text}} NOT NULL,
    organization_id   {{text}} NOT NULL,
    number            BIGINT NOT NULL,    -- of the request: one that comes while it is worked off is not lost
    cause             {{text}} NOT NULL,
    tries             BIGINT NOT NULL,
    next_at           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (directory_id, directory_user_id)
) {{clustered}};
CREATE INDEX directory_people_due_next ON directory_people_due (next_at);

-- ── org ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Who may come in, and how. No row: the defaults.
CREATE TABLE organization_policies (
    organization_id {{text}} NOT NULL PRIMARY KEY,
    sso             {{text}} NOT NULL,  -- required_for_all, required_for_primary_members, optional
    sso_optional_until BIGINT,
    jit             {{text}},           -- directory, verified_domain, off; NULL: directory where there is one, else verified_domain
    idle_seconds    BIGINT,             -- of sessions; NULL: the installation's
    life_seconds    BIGINT,
    version         BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

-- Named people whom the policy does not bind, for a while. It never lets in whom a directory wants out.
CREATE TABLE break_glass_users (
    organization_id {{text}} NOT NULL,
    user_id         {{text}} NOT NULL,
    reason          {{text}} NOT NULL,
    named_by        {{text}} NOT NULL,
    expires_at      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) {{clustered}};
