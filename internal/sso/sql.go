package sso

const (
	connectionColumns = `id, organization_id, key, protocol, type, provider, name, state, options, attribute_map, sp_entity_id, sp_key,
		sp_certificate, idp_entity_id, sso_url, sso_binding, slo_url, slo_binding, metadata_url, metadata, metadata_etag, metadata_at,
		metadata_due_at, metadata_error, pending_change, issuer, client_id, client_secret, discovery, jwks, jwks_at, first_success_at,
		last_success_at, version, created_at, updated_at, slo_response_url, client_secret_expires_at`
	selectConnection = `SELECT ` + connectionColumns + `, switching FROM connections WHERE deleted_at IS NULL`
	// Whose connection it is, to be asked with it.
	ownerByKey       = `SELECT organization_id FROM connections WHERE key = $1 AND deleted_at IS NULL`
	insertConnection = `INSERT INTO connections (` + connectionColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
		$14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38)`
	// The version is that which the change was computed from.
	updateConnection = `UPDATE connections SET name = $4, state = $5, options = $6, attribute_map = $7, sp_entity_id = $8, idp_entity_id = $9,
		sso_url = $10, sso_binding = $11, slo_url = $12, slo_binding = $13, metadata_url = $14, metadata = $15, metadata_etag = $16,
		metadata_at = $17, metadata_due_at = $18, metadata_error = $19, pending_change = $20, issuer = $21, client_id = $22,
		client_secret = $23, discovery = $24, jwks = $25, jwks_at = $26, updated_at = $27, slo_response_url = $28, client_secret_expires_at = $29, version = version + 1
		WHERE organization_id = $1 AND id = $2 AND version = $3 AND deleted_at IS NULL`
	// What was secret goes with the connection; the row stays for what points at it.
	deleteConnection = `UPDATE connections SET deleted_at = $3, updated_at = $3, sp_key = NULL, client_secret = NULL, client_secret_expires_at = NULL, pending_change = NULL,
		metadata = NULL, metadata_due_at = NULL, state = 'inactive', switching = NULL, version = version + 1
		WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`
	// One default at most: whoever becomes it takes it from the others (see setDefault, which rewrites their options).
	lockConnections = selectConnection + ` AND organization_id = $1 ORDER BY id`

	// Those that let people in. One that comes with a switch is only tested yet, and one that went with it is inactive.
	selectEntrances = selectConnection + ` AND organization_id = $1 AND state IN ('active', 'validating') AND COALESCE(switching, '') <> 'coming' ORDER BY id`

	// Guards of a sign-in. The state is that which was seen, and so is the part in a switch, so that switching off and deleting win against what is
	// in flight.
	guardConnection    = `SELECT id FROM connections WHERE organization_id = $1 AND id = $2 AND state = $3 AND COALESCE(switching, '') = $4 AND deleted_at IS NULL`
	activateConnection = `UPDATE connections SET state = 'active', first_success_at = COALESCE(first_success_at, $3), last_success_at = $3,
		updated_at = $3, version = version + 1 WHERE organization_id = $1 AND id = $2 AND state = 'validating' AND COALESCE(switching, '') = $4 AND deleted_at IS NULL`
	touchConnection = `UPDATE connections SET last_success_at = $3 WHERE organization_id = $1 AND id = $2 AND state = $4 AND COALESCE(switching, '') = $5
		AND deleted_at IS NULL`
	touchCertificate = `UPDATE connection_certificates SET last_used_at = $4 WHERE organization_id = $1 AND connection_id = $2 AND fingerprint = $3`

	// A connection that somebody came in through once, or tested, whether it lets anybody in now or not.
	selectProven = `SELECT COUNT(*) FROM connections WHERE organization_id = $1 AND first_success_at IS NOT NULL AND deleted_at IS NULL`

	// A connection in a switch of its organization's identity provider.
	holdSide     = `UPDATE connections SET switching = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`
	selectTested = `SELECT 1 FROM connections WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL AND (first_success_at IS NOT NULL OR EXISTS
		(SELECT 1 FROM sign_in_attempts a WHERE a.organization_id = $1 AND a.connection_id = $2 AND a.state = 'succeeded'))`

	// Claims, so that of several processes one asks the provider.
	claimMetadata = `UPDATE connections SET metadata_at = $3, metadata_due_at = $5 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
		AND (metadata_at IS NULL OR metadata_at <= $4)`
	// Of those who see that it is due the first gets it.
	claimDue = `UPDATE connections SET metadata_at = $3, metadata_due_at = $5 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL
		AND metadata_due_at = $4`
	claimKeys       = `UPDATE connections SET jwks_at = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL AND (jwks_at IS NULL OR jwks_at <= $4)`
	storeKeys       = `UPDATE connections SET jwks = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`
	selectDue       = selectConnection + ` AND metadata_due_at <= $1 ORDER BY metadata_due_at LIMIT $2`
	storeFetchFault = `UPDATE connections SET metadata_error = $3, metadata_due_at = $4 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`
	storeFetched    = `UPDATE connections SET metadata_error = NULL, metadata_etag = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`

	certificateColumns = `connection_id, fingerprint, organization_id, pem, subject, not_before, not_after, source, created_at, last_used_at,
		missing_since, announced_days`
	selectCertificates = `SELECT ` + certificateColumns + ` FROM connection_certificates WHERE connection_id IN (%s) ORDER BY connection_id, not_after, fingerprint`
	insertCertificate  = `INSERT INTO connection_certificates (` + certificateColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	deleteCertificates = `DELETE FROM connection_certificates WHERE organization_id = $1 AND connection_id = $2`
	announce           = `UPDATE connection_certificates SET announced_days = $4 WHERE organization_id = $1 AND connection_id = $2 AND fingerprint = $3
		AND (announced_days IS NULL OR announced_days > $4)`
	// The last certificate of each connection that ends before a moment.
	selectEnding = selectConnection + ` AND protocol = 'saml' AND state <> 'draft' AND id > $2 AND (SELECT MAX(not_after) FROM connection_certificates c
		WHERE c.connection_id = connections.id AND c.missing_since IS NULL) <= $1 ORDER BY id LIMIT $3`

	selectEndingSecrets = selectConnection + ` AND client_secret_expires_at <= $1 AND state <> 'draft' ORDER BY client_secret_expires_at, id LIMIT $2`

	selectPaths = `SELECT path, connection_id FROM connection_addresses WHERE connection_id IN (%s) ORDER BY path`
	selectPath  = `SELECT connection_id, organization_id FROM connection_addresses WHERE path = $1 ORDER BY connection_id`
	isPath      = `SELECT COUNT(*) FROM (SELECT 1 FROM connection_addresses WHERE path = $1 LIMIT 1) found`
	insertPath  = `INSERT INTO connection_addresses (path, connection_id, organization_id, created_at) VALUES ($1, $2, $3, $4)`
	deletePaths = `DELETE FROM connection_addresses WHERE organization_id = $1 AND connection_id = $2`
)

const (
	profileColumns = `id, organization_id, connection_id, idp_id, email, email_verified, first_name, last_name, name, attribute_groups, roles, custom, raw,
		subject, subject_key, user_id, version, created_at, updated_at`
	selectProfile = `SELECT ` + profileColumns + ` FROM profiles`
	insertProfile = `INSERT INTO profiles (` + profileColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, $17, $17)`
	updateProfile = `UPDATE profiles SET email = $5, email_verified = $6, first_name = $7, last_name = $8, name = $9, attribute_groups = $10,
		roles = $11, custom = $12, raw = $13, subject = $14, subject_key = $15, user_id = $16, updated_at = $17, version = version + 1
		WHERE organization_id = $1 AND connection_id = $2 AND id = $3 AND version = $4`
	nextProfilesAt   = selectProfile + ` WHERE organization_id = $1 AND connection_id = $2 AND id > $3 ORDER BY id LIMIT $4`
	countProfilesOf  = `SELECT COUNT(*) FROM profiles WHERE organization_id = $1`
	firstProfilesOf  = selectProfile + ` WHERE organization_id = $1 ORDER BY id LIMIT $2`
	deleteProfilesOf = `DELETE FROM profiles WHERE organization_id = $1`
	deleteProfilesAt = `DELETE FROM profiles WHERE organization_id = $1 AND connection_id = $2`
	// Of one person, and of those without an account by what they were known as: the id as it is, the address in lower case.
	deleteProfilesFor   = `DELETE FROM profiles WHERE organization_id = $1 AND user_id = $2`
	deleteProfilesKnown = `DELETE FROM profiles WHERE organization_id = $1 AND user_id IS NULL AND (idp_id = $2 OR LOWER(email) = $3)`
	typeOfConnection    = `SELECT type FROM connections WHERE organization_id = $1 AND id = $2`
)

const (
	attemptColumns = `id, organization_id, connection_id, kind, state, browser, secret, continuation, login_hint, force_authn, fault, checks,
		profile_id, user_id, session_id, idp_id, email, ip, user_agent, created_at, finished_at, expires_at`
	selectAttempt   = `SELECT ` + attemptColumns + ` FROM sign_in_attempts WHERE 1 = 1`
	selectRequested = selectAttempt + ` AND request_hash = $1`
	insertAttempt   = `INSERT INTO sign_in_attempts (` + attemptColumns + `, request_hash, code, raw, network) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
		$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`
	finishAttempt = `UPDATE sign_in_attempts SET state = $4, code = $5, fault = $6, checks = $7, profile_id = $8, user_id = $9, session_id = $10,
		idp_id = $11, email = $12, raw = $13, finished_at = $14, secret = NULL, continuation = NULL
		WHERE organization_id = $1 AND connection_id = $2 AND id = $3 AND state = 'at_provider' AND expires_at > $14 AND kind = $15`
	// As above, for a refusal: one that comes too late is a refusal too.
	failAttempt = `UPDATE sign_in_attempts SET state = $4, code = $5, fault = $6, checks = $7, idp_id = $8, email = $9, raw = $10, finished_at = $11,
		secret = NULL WHERE organization_id = $1 AND connection_id = $2 AND id = $3 AND state = 'at_provider'`
	countOpen = `SELECT COUNT(*) FROM sign_in_attempts WHERE connection_id = $1 AND id > $2 AND browser = $3 AND state = 'at_provider'`
	// A network's are counted up to a number, a browser's are found from a number on.
	countNetwork = `SELECT COUNT(*) FROM (SELECT 1 FROM sign_in_attempts WHERE network = $1 AND state = 'at_provider' AND expires_at > $2 LIMIT $3) open`
	selectOver   = selectAttempt + ` AND organization_id = $1 AND browser = $2 AND state = 'at_provider' ORDER BY id DESC LIMIT $3 OFFSET $4`
	// What belongs to no attempt is kept up to a number.
	pruneUnasked = `DELETE FROM sign_in_attempts WHERE organization_id = $1 AND connection_id = $2 AND kind = 'unsolicited' AND id <= (SELECT id FROM
		sign_in_attempts WHERE connection_id = $2 AND kind = 'unsolicited' ORDER BY id DESC LIMIT 1 OFFSET $3)`
	selectLate = selectAttempt + ` AND state = 'at_provider' AND expires_at <= $1 ORDER BY expires_at LIMIT $2`
	timeOut    = `UPDATE sign_in_attempts SET state = 'timed_out', code = $4, fault = $5, finished_at = $6, secret = NULL
		WHERE organization_id = $1 AND connection_id = $2 AND id = $3 AND state = 'at_provider'`
	blankRaw       = `UPDATE sign_in_attempts SET raw = NULL WHERE raw IS NOT NULL AND created_at <= $1`
	selectRaw      = `SELECT raw FROM sign_in_attempts WHERE organization_id = $1 AND id = $2`
	deleteAttempts = `DELETE FROM sign_in_attempts WHERE id IN (SELECT id FROM sign_in_attempts WHERE id < $1 ORDER BY id LIMIT $2)`
	// What is gone through to find the attempts of a person, and what is left of one.
	attemptsOf    = `SELECT id, user_id, idp_id, email, login_hint, raw, fault FROM sign_in_attempts WHERE organization_id = $1 AND connection_id = $2 AND id > $3 ORDER BY id LIMIT $4`
	everyOf       = `SELECT id FROM connections WHERE organization_id = $1 ORDER BY id`
	forgetAttempt = `UPDATE sign_in_attempts SET login_hint = NULL, idp_id = NULL, email = NULL, raw = NULL, checks = NULL, fault = $4, ip = NULL, user_agent = NULL, network = NULL
		WHERE organization_id = $1 AND connection_id = $2 AND id = $3`
	// A deleted organization's people are forgotten with everything that was said of them.
	deleteAttemptsOf = `DELETE FROM sign_in_attempts WHERE organization_id = $1`

	selectUsed = `SELECT expires_at FROM used_assertions WHERE connection_id = $1 AND hash = $2`
	insertUsed = `INSERT INTO used_assertions (connection_id, hash, expires_at) VALUES ($1, $2, $3)`
	deleteUsed = `DELETE FROM used_assertions WHERE expires_at <= $1`
)
