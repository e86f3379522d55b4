-- +goose Up

-- ── switching ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- One change of an organization's identity provider. Each part (connection, directory) is there on both sides or on neither.
CREATE TABLE identity_provider_switches (
    id               {{text}} NOT NULL PRIMARY KEY,
    organization_id  {{text}} NOT NULL,
    state            {{text}} NOT NULL,  -- preparing, cut_over, reverted, cancelled, finished
    from_connection  {{text}},
    to_connection    {{text}},
    from_directory   {{text}},
    to_directory     {{text}},
    before           {{text}} NOT NULL,  -- JSON: what a revert puts back
    counts           {{text}} NOT NULL,  -- JSON: of people and groups, as they were cut over
    version          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    cut_over_at      BIGINT,
    revertible_until BIGINT,             -- of one that is cut over: then it is finished
    ended_at         BIGINT
);
CREATE UNIQUE INDEX identity_provider_switches_open ON identity_provider_switches (organization_id) WHERE state IN ('preparing', 'cut_over');
CREATE INDEX identity_provider_switches_organization ON identity_provider_switches (organization_id, id);
CREATE INDEX identity_provider_switches_due ON identity_provider_switches (revertible_until) WHERE state = 'cut_over';

-- Who and what is whose counterpart. While a switch is prepared: what was said by hand. From the cut-over on: everybody and every group of
-- the old side, as they were carried over.
CREATE TABLE identity_provider_switch_matches (
    organization_id {{text}} NOT NULL,
    switch_id       {{text}} NOT NULL,
    kind            {{text}} NOT NULL,  -- person, group
    old_id          {{text}} NOT NULL,  -- of the directory user or group; of the membership, for somebody who only signs in
    new_id          {{text}},           -- of the directory user or group; NULL: nobody
    match           {{text}} NOT NULL,  -- matched, unmatched, ambiguous
    found_by        {{text}},           -- external_id, user_name, name, email, hand
    membership_id   {{text}},           -- of a person; NULL: who is no member
    PRIMARY KEY (organization_id, switch_id, kind, old_id)
) {{clustered}};
CREATE UNIQUE INDEX identity_provider_switch_matches_new ON identity_provider_switch_matches (organization_id, switch_id, kind, new_id) WHERE new_id IS NOT NULL;
CREATE INDEX identity_provider_switch_matches_member ON identity_provider_switch_matches (organization_id, membership_id) WHERE membership_id IS NOT NULL;

-- ── directory, sso ─────────────────────────────────────────────────────────────────────────────────────────────────

-- What a directory or connection is in a switch: coming (before the cut-over), ruling, retired (after it). NULL: in none.
ALTER TABLE directories ADD COLUMN switching {{text}};
ALTER TABLE connections ADD COLUMN switching {{text}};
