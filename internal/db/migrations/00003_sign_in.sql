-- +goose Up

-- ── member ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- A person's account in the app, across organizations. email is data, not identity, but two living accounts never share one.
CREATE TABLE users (
    id                   {{text}} NOT NULL PRIMARY KEY,
    email                {{text}} NOT NULL,
    email_key            {{text}} NOT NULL, -- folded, for comparison
    email_verified       BOOLEAN NOT NULL,
    first_name           {{text}},
    last_name            {{text}},
    picture_url          {{text}},
    locale               {{text}},
    external_id          {{text}},
    metadata             {{text}} NOT NULL DEFAULT '{}',
    home_organization_id {{text}},          -- whose primary member the account is; NULL: nobody's
    last_sign_in_at      BIGINT,
    version              BIGINT NOT NULL,   -- grows with every change; guards compare it
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    deleted_at           BIGINT
);
CREATE UNIQUE INDEX users_email ON users (email_key) WHERE deleted_at IS NULL;
CREATE INDEX users_home ON users (home_organization_id) WHERE home_organization_id IS NOT NULL;
CREATE UNIQUE INDEX users_external_id ON users (external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;

-- Who a connection's people are: (connection, idp id) is the identity.
CREATE TABLE user_identities (
    connection_id   {{text}} NOT NULL,
    idp_id          {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    user_id         {{text}} NOT NULL REFERENCES users (id),
    linked_by       {{text}} NOT NULL, -- how the account was found: directory, email, created
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    PRIMARY KEY (connection_id, idp_id)
) {{clustered}};
CREATE INDEX user_identities_user ON user_identities (user_id);
CREATE INDEX user_identities_organization ON user_identities (organization_id);

CREATE TABLE organization_memberships (
    id                {{text}} NOT NULL PRIMARY KEY,
    organization_id   {{text}} NOT NULL REFERENCES organizations (id),
    user_id           {{text}} NOT NULL REFERENCES users (id),
    state             {{text}} NOT NULL, -- pending, active, inactive, removed
    is_primary        BOOLEAN NOT NULL,  -- the account belongs to this organization; else a guest
    role              {{text}} NOT NULL,
    why               {{text}} NOT NULL, -- what put it into this state
    directory_user_id {{text}},          -- the person in a directory it was joined with
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX organization_memberships_one ON organization_memberships (organization_id, user_id);
CREATE UNIQUE INDEX organization_memberships_joined ON organization_memberships (organization_id, directory_user_id) WHERE directory_user_id IS NOT NULL;
CREATE INDEX organization_memberships_user ON organization_memberships (user_id);
CREATE INDEX organization_memberships_listed ON organization_memberships (organization_id, id);

-- ── session ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One sign-in of one browser, at one organization at most. The cookie's hash is all that is known of the cookie.
CREATE TABLE sessions (
    id              {{text}} NOT NULL PRIMARY KEY,
    cookie_hash     {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,  -- '' for a session without one
    user_id         {{text}} NOT NULL,
    connection_id   {{text}},           -- NULL: not through an identity provider
    profile_id      {{text}},
    idp_session     {{text}},           -- SAML SessionIndex or OIDC sid
    auth_method     {{text}} NOT NULL,  -- sso, magic_auth
    amr             {{text}} NOT NULL,  -- JSON array
    ip              {{text}},
    user_agent      {{text}},
    authenticated_at BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    seen_at         BIGINT NOT NULL,
    idle_seconds    BIGINT NOT NULL,    -- without use it ends after so long
    expires_at      BIGINT NOT NULL,    -- and here in any case
    ended_at        BIGINT,
    end_reason      {{text}}
);
CREATE UNIQUE INDEX sessions_cookie ON sessions (cookie_hash);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_organization ON sessions (organization_id, id);
CREATE INDEX sessions_connection ON sessions (connection_id, id) WHERE connection_id IS NOT NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Which applications learned of a session: they are told when it ends.
CREATE TABLE session_applications (
    session_id     {{text}} NOT NULL,
    application_id {{text}} NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (session_id, application_id)
) {{clustered}};

-- What an application may redeem once. subject is the user, or the profile where no accounts are kept.
CREATE TABLE authorization_codes (
    hash            {{text}} NOT NULL PRIMARY KEY,
    application_id  {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    session_id      {{text}},           -- NULL: the sign-in ends in a profile
    user_id         {{text}},
    profile_id      {{text}},
    redirect_uri    {{text}} NOT NULL,
    challenge       {{text}},           -- PKCE S256; NULL without
    nonce           {{text}},
    scope           {{text}} NOT NULL,  -- space-separated
    style           {{text}} NOT NULL,  -- oidc, sso, user_management: which token route it is for
    grant_id        {{text}} NOT NULL,  -- the tokens made of it
    connection_id   {{text}},
    amr             {{text}} NOT NULL,  -- JSON array
    authenticated_at BIGINT NOT NULL,
    until_at        BIGINT,             -- end of the session, which no token outlives
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT,
    ended_at        BIGINT              -- taken back
) {{clustered}};
CREATE INDEX authorization_codes_session ON authorization_codes (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX authorization_codes_alone ON authorization_codes (organization_id) WHERE session_id IS NULL;
CREATE INDEX authorization_codes_expiry ON authorization_codes (expires_at);

CREATE TABLE access_tokens (
    hash            {{text}} NOT NULL PRIMARY KEY,
    grant_id        {{text}} NOT NULL,
    application_id  {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    session_id      {{text}},
    user_id         {{text}},
    profile_id      {{text}},
    connection_id   {{text}},
    style           {{text}} NOT NULL,  -- of the code it was made of
    scope           {{text}} NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    revoked_at      BIGINT
) {{clustered}};
CREATE INDEX access_tokens_grant ON access_tokens (grant_id);
CREATE INDEX access_tokens_session ON access_tokens (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX access_tokens_alone ON access_tokens (organization_id) WHERE session_id IS NULL;
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);

-- A refresh token is used once and followed by another of the same grant; one that comes back ends the grant.
CREATE TABLE refresh_tokens (
    hash            {{text}} NOT NULL PRIMARY KEY,
    grant_id        {{text}} NOT NULL,
    application_id  {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    session_id      {{text}} NOT NULL,
    user_id         {{text}} NOT NULL,
    profile_id      {{text}},
    scope           {{text}} NOT NULL,
    nonce           {{text}},
    authenticated_at BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    used_at         BIGINT,
    revoked_at      BIGINT
) {{clustered}};
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Codes mailed to prove an address. A few wrong guesses end one.
CREATE TABLE magic_auths (
    id          {{text}} NOT NULL PRIMARY KEY,
    email_key   {{text}} NOT NULL,
    email       {{text}} NOT NULL,
    user_id     {{text}},               -- NULL: nobody has an account with it yet
    number      BIGINT NOT NULL,        -- counts those of the address: two made at once are told apart by it
    code        {{text}} NOT NULL,      -- sealed: a hash of six digits would be found by trying
    link_hash   {{text}} NOT NULL,
    browser     {{text}} NOT NULL,      -- hash of the browser's cookie
    continuation {{text}} NOT NULL,     -- what is to happen afterwards
    tries       BIGINT NOT NULL,        -- codes that were entered
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE UNIQUE INDEX magic_auths_link ON magic_auths (link_hash);
CREATE UNIQUE INDEX magic_auths_email ON magic_auths (email_key, number);
CREATE INDEX magic_auths_expiry ON magic_auths (expires_at);

-- ── mail ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- The outbox. What a mail says is sealed, and taken out once it is sent or given up.
CREATE TABLE mails (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,  -- '' for none
    kind            {{text}} NOT NULL,  -- name of the template
    recipient       {{text}},           -- NULL once forgotten
    content         {{text}},           -- sealed JSON: subject, text, HTML
    state           {{text}} NOT NULL,  -- pending, sent, failed
    attempts        BIGINT NOT NULL,
    next_at         BIGINT,             -- NULL when there is nothing left to do
    give_up_at      BIGINT NOT NULL,    -- not sent after
    last_error      {{text}},
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT
);
CREATE INDEX mails_next ON mails (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX mails_finished ON mails (finished_at) WHERE finished_at IS NOT NULL;

-- ── sso ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- key is in every address that the identity provider stores. Columns of the protocol that it is not are NULL or empty.
CREATE TABLE connections (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL REFERENCES organizations (id),
    key             {{text}} NOT NULL,
    protocol        {{text}} NOT NULL,  -- saml, oidc
    type            {{text}} NOT NULL,  -- the contract's connection_type
    provider        {{text}} NOT NULL,  -- folder of the catalogue
    name            {{text}} NOT NULL,
    state           {{text}} NOT NULL,  -- draft, validating, active, inactive
    options         {{text}} NOT NULL,  -- JSON
    attribute_map   {{text}} NOT NULL,  -- JSON
    sp_entity_id    {{text}},           -- NULL: made of the address
    sp_key          {{text}},           -- sealed: signs our requests, opens encrypted assertions
    sp_certificate  {{text}},           -- PEM
    idp_entity_id   {{text}},
    sso_url         {{text}},
    sso_binding     {{text}},           -- redirect, post
    slo_url         {{text}},
    slo_binding     {{text}},
    slo_response_url  {{text}},           -- NULL: slo_url
    metadata_url    {{text}},
    metadata        {{text}},           -- the document as it was last taken over
    metadata_etag   {{text}},
    metadata_at     BIGINT,             -- last fetched
    metadata_due_at BIGINT,             -- fetched again
    metadata_error  {{text}},
    pending_change  {{text}},           -- JSON: what the metadata says now and an administrator has to approve
    issuer          {{text}},
    client_id       {{text}},
    client_secret   {{text}},           -- sealed
    discovery       {{text}},           -- JSON, as fetched
    jwks            {{text}},           -- JSON, as fetched
    jwks_at         BIGINT,
    first_success_at BIGINT,
    last_success_at  BIGINT,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    deleted_at      BIGINT
);
CREATE UNIQUE INDEX connections_key ON connections (key);
CREATE INDEX connections_organization ON connections (organization_id, id) WHERE deleted_at IS NULL;
CREATE INDEX connections_due ON connections (metadata_due_at) WHERE metadata_due_at IS NOT NULL AND deleted_at IS NULL;

-- Signing certificates of the provider; any one that is not removed may verify.
CREATE TABLE connection_certificates (
    connection_id   {{text}} NOT NULL,
    fingerprint     {{text}} NOT NULL,  -- SHA-256 of the DER, hexadecimal
    organization_id {{text}} NOT NULL,
    pem             {{text}} NOT NULL,
    subject         {{text}} NOT NULL,
    not_before      BIGINT NOT NULL,
    not_after       BIGINT NOT NULL,
    source          {{text}} NOT NULL,  -- metadata, manual
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    missing_since   BIGINT,             -- the metadata does not name it any more
    announced_days  BIGINT,             -- least number of days before its end that was announced
    PRIMARY KEY (connection_id, fingerprint)
) {{clustered}};
CREATE INDEX connection_certificates_end ON connection_certificates (not_after);

-- Further paths at which a connection is served: those a former vendor gave to the identity provider.
CREATE TABLE connection_addresses (
    path            {{text}} NOT NULL,
    connection_id   {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (path, connection_id)
) {{clustered}};
CREATE INDEX connection_addresses_connection ON connection_addresses (connection_id);

-- What an identity provider last asserted of a person.
CREATE TABLE profiles (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    connection_id   {{text}} NOT NULL,
    idp_id          {{text}} NOT NULL,
    email           {{text}} NOT NULL,
    email_verified  BOOLEAN NOT NULL,
    first_name      {{text}},
    last_name       {{text}},
    name            {{text}},
    attribute_groups {{text}} NOT NULL, -- JSON array
    roles           {{text}} NOT NULL,  -- JSON array
    custom          {{text}} NOT NULL,  -- JSON object
    raw             {{text}} NOT NULL,  -- JSON object
    subject         {{text}},           -- JSON: NameID with its qualifiers, or sub; a logout repeats it
    subject_key     {{text}},           -- its value
    user_id         {{text}},           -- whose account; NULL where no accounts are kept
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE INDEX profiles_subject ON profiles (connection_id, subject_key);
CREATE UNIQUE INDEX profiles_identity ON profiles (connection_id, idp_id);
CREATE INDEX profiles_organization ON profiles (organization_id, id);

-- Every way to an identity provider and back. request_hash is of the SAML request's id or the OIDC state.
CREATE TABLE sign_in_attempts (
    id              {{text}} NOT NULL PRIMARY KEY,
    organization_id {{text}} NOT NULL,
    connection_id   {{text}} NOT NULL,
    kind            {{text}} NOT NULL,  -- sign_in, test, unsolicited
    state           {{text}} NOT NULL,  -- at_provider, succeeded, failed, timed_out
    request_hash    {{text}},
    browser         {{text}},           -- hash of the browser's cookie
    secret          {{text}},           -- sealed JSON: nonce, PKCE verifier
    continuation    {{text}},           -- what is to happen afterwards
    login_hint      {{text}},
    force_authn     BOOLEAN NOT NULL DEFAULT FALSE,
    code            {{text}},           -- of the refusal
    fault           {{text}},           -- JSON: message, wanted, got, who must fix it
    checks          {{text}},           -- JSON array
    profile_id      {{text}},
    user_id         {{text}},
    session_id      {{text}},
    idp_id          {{text}},
    email           {{text}},
    raw             {{text}},           -- sealed: what came, for a week
    ip              {{text}},
    user_agent      {{text}},
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT,
    expires_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX sign_in_attempts_request ON sign_in_attempts (request_hash) WHERE request_hash IS NOT NULL;
CREATE INDEX sign_in_attempts_connection ON sign_in_attempts (connection_id, id);
CREATE INDEX sign_in_attempts_open ON sign_in_attempts (expires_at) WHERE state = 'at_provider';
CREATE INDEX sign_in_attempts_raw ON sign_in_attempts (created_at) WHERE raw IS NOT NULL;

-- An assertion is used once (SAML 2.0 profiles, section 4.1.4.5).
CREATE TABLE used_assertions (
    connection_id {{text}} NOT NULL,
    hash          {{text}} NOT NULL,    -- of the assertion's id
    expires_at    BIGINT NOT NULL,
    PRIMARY KEY (connection_id, hash)
) {{clustered}};
CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);

-- ── issuer ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE applications (
    id              {{text}} NOT NULL PRIMARY KEY,
    client_id       {{text}} NOT NULL,
    name            {{text}} NOT NULL,
    description     {{text}},
    organization_id {{text}},           -- NULL: for all
    is_default      BOOLEAN NOT NULL,   -- the one that is there from the first start
    is_first_party  BOOLEAN NOT NULL,
    is_public       BOOLEAN NOT NULL,   -- has no secret
    uses_pkce       BOOLEAN NOT NULL,
    scopes          {{text}} NOT NULL,  -- JSON array
    signing_alg     {{text}} NOT NULL,  -- ES256, RS256
    logout_uri      {{text}},           -- back channel
    initiate_login_uri {{text}},        -- where a sign-in that the provider began starts over
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    deleted_at      BIGINT
);
CREATE UNIQUE INDEX applications_client ON applications (client_id);
CREATE UNIQUE INDEX applications_default ON applications (is_default) WHERE is_default;

CREATE TABLE application_redirect_uris (
    id             {{text}} NOT NULL PRIMARY KEY,
    application_id {{text}} NOT NULL,
    kind           {{text}} NOT NULL,   -- sign_in, sign_out
    uri            {{text}} NOT NULL,
    is_default     BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX application_redirect_uris_one ON application_redirect_uris (application_id, kind, uri);

CREATE TABLE application_secrets (
    id             {{text}} NOT NULL PRIMARY KEY,
    application_id {{text}} NOT NULL,
    hash           {{text}} NOT NULL,
    hint           {{text}} NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    last_used_at   BIGINT
);
CREATE INDEX application_secrets_application ON application_secrets (application_id, id);

-- Keys that sign tokens. The public half stays published as long as anything it signed can be shown.
CREATE TABLE signing_keys (
    kid          {{text}} NOT NULL PRIMARY KEY,
    alg          {{text}} NOT NULL,
    generation   BIGINT NOT NULL,       -- counts the keys of an algorithm: of two made at once one is refused
    private_key  {{text}},              -- sealed; NULL once it signs no more
    public_key   {{text}} NOT NULL,     -- JWK
    created_at   BIGINT NOT NULL,
    signs_from   BIGINT NOT NULL,       -- published before
    signs_until  BIGINT NOT NULL,
    shown_until  BIGINT NOT NULL
);
CREATE UNIQUE INDEX signing_keys_generation ON signing_keys (alg, generation);

-- Back-channel logouts: one for each application that learned of a session.
CREATE TABLE logout_deliveries (
    id             {{text}} NOT NULL PRIMARY KEY,
    application_id {{text}} NOT NULL,
    session_id     {{text}} NOT NULL,
    organization_id {{text}} NOT NULL,
    user_id        {{text}} NOT NULL,
    event_id       {{text}} NOT NULL,   -- the session.revoked that it tells of
    state          {{text}} NOT NULL,   -- pending, delivered, failed
    attempts       BIGINT NOT NULL,
    next_at        BIGINT,
    last_status    BIGINT,
    last_error     {{text}},
    ended_at       BIGINT NOT NULL,     -- when the session ended
    created_at     BIGINT NOT NULL,
    finished_at    BIGINT
);
CREATE UNIQUE INDEX logout_deliveries_once ON logout_deliveries (session_id, application_id);
CREATE INDEX logout_deliveries_next ON logout_deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX logout_deliveries_application ON logout_deliveries (application_id, id);

-- How far the log has been turned into logouts.
CREATE TABLE logout_cursor (
    name   {{text}} NOT NULL PRIMARY KEY,
    cursor {{text}} NOT NULL
);
INSERT INTO logout_cursor (name, cursor) VALUES ('log', '');
