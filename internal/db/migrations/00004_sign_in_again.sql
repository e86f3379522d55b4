-- +goose Up

-- sessions
-- browser: hash of the cookie that binds a browser's steps; its sessions of one person end together when they sign out there.
-- subject, subject_key: how the provider named the person at this sign-in, as profiles have it; NULL in older rows.
ALTER TABLE sessions ADD COLUMN browser {{text}};
ALTER TABLE sessions ADD COLUMN subject {{text}};
ALTER TABLE sessions ADD COLUMN subject_key {{text}};
CREATE INDEX sessions_browser ON sessions (browser) WHERE browser IS NOT NULL AND ended_at IS NULL;

-- What a session was called at its provider by earlier sign-ins of the same browser, which went on in it: the provider may still end it by
-- these names.
CREATE TABLE session_names (
    session_id  {{text}} NOT NULL,
    subject_key {{text}} NOT NULL,  -- '' for none
    idp_session {{text}} NOT NULL,  -- '' for none
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (session_id, subject_key, idp_session)
) {{clustered}};
CREATE INDEX session_names_idp ON session_names (idp_session);
CREATE INDEX session_names_subject ON session_names (subject_key);

-- network: the address, or the network of one subscriber, from which an attempt was begun; open ones are counted by it.
ALTER TABLE sign_in_attempts ADD COLUMN network {{text}};
CREATE INDEX sign_in_attempts_network ON sign_in_attempts (network) WHERE state = 'at_provider' AND network IS NOT NULL;
CREATE INDEX sign_in_attempts_browser ON sign_in_attempts (browser, id) WHERE state = 'at_provider' AND browser IS NOT NULL;

-- A ticket to sign out at /sso/logout is used once.
CREATE TABLE used_tickets (
    hash       {{text}} NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
) {{clustered}};
CREATE INDEX used_tickets_expiry ON used_tickets (expires_at);
