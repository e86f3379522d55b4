package issuer

const (
	applicationColumns = `id, client_id, name, description, organization_id, is_default, is_first_party, is_public, uses_pkce, scopes, signing_alg,
		logout_uri, initiate_login_uri, created_at, updated_at`
	insertTicket  = `INSERT INTO used_tickets (hash, expires_at) VALUES ($1, $2)`
	expireTickets = `DELETE FROM used_tickets WHERE expires_at < $1`

	selectApplication = `SELECT ` + applicationColumns + ` FROM applications WHERE deleted_at IS NULL`
	insertApplication = `INSERT INTO applications (` + applicationColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`
	updateApplication = `UPDATE applications SET name = $2, description = $3, scopes = $4, signing_alg = $5, logout_uri = $6, initiate_login_uri = $7,
		uses_pkce = $8, updated_at = $9 WHERE id = $1 AND deleted_at IS NULL`
	touchApplication   = `UPDATE applications SET updated_at = $2 WHERE id = $1 AND deleted_at IS NULL`
	deleteApplication  = `UPDATE applications SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND NOT is_default AND deleted_at IS NULL`
	selectIntrospected = `SELECT introspected_at FROM applications WHERE id = $1`
	touchIntrospected  = `UPDATE applications SET introspected_at = $2 WHERE id = $1 AND (introspected_at IS NULL OR introspected_at < $2)`
	countApplications  = `SELECT COUNT(*) FROM applications WHERE deleted_at IS NULL`
	organizationExists = `SELECT EXISTS (SELECT 1 FROM organizations WHERE id = $1 AND deleted_at IS NULL)`

	selectURIs  = `SELECT application_id, kind, id, uri, is_default, created_at, updated_at FROM application_redirect_uris WHERE application_id IN (%s) ORDER BY id`
	listURIs    = `SELECT application_id, kind, id, uri, is_default, created_at, updated_at FROM application_redirect_uris WHERE application_id = $1 AND kind = $2`
	insertURI   = `INSERT INTO application_redirect_uris (id, application_id, kind, uri, is_default, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`
	deleteURI   = `DELETE FROM application_redirect_uris WHERE application_id = $1 AND kind = $2 AND id = $3`
	deleteURIs  = `DELETE FROM application_redirect_uris WHERE application_id = $1`
	changeURI   = `UPDATE application_redirect_uris SET is_default = $4, updated_at = $5 WHERE application_id = $1 AND kind = $2 AND id = $3`
	hasSignIn   = `SELECT EXISTS (SELECT 1 FROM application_redirect_uris WHERE application_id = $1 AND kind = 'sign_in' AND uri = $2)`
	uriToSignIn = `SELECT a.id FROM applications a JOIN application_redirect_uris u ON u.application_id = a.id AND u.kind = 'sign_in'
		WHERE a.id = $1 AND a.deleted_at IS NULL AND u.uri = $2`
	// Where a session's person may go after a logout: to an address of an application that knows the session, or of the default one.
	mayReturnTo = `SELECT EXISTS (SELECT 1 FROM application_redirect_uris u JOIN applications a ON a.id = u.application_id
		WHERE u.kind = 'sign_out' AND u.uri = $1 AND a.deleted_at IS NULL
		AND (a.is_default OR a.id IN (SELECT application_id FROM session_applications WHERE session_id = $2)))`
	livingApplication = `SELECT id FROM applications WHERE id = $1 AND deleted_at IS NULL`

	insertSecret  = `INSERT INTO application_secrets (id, application_id, hash, hint, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`
	listSecrets   = `SELECT id, application_id, hint, created_at, updated_at, last_used_at FROM application_secrets WHERE application_id = $1 ORDER BY id DESC`
	selectSecret  = `SELECT s.application_id, a.organization_id, s.hint FROM application_secrets s JOIN applications a ON a.id = s.application_id WHERE s.id = $1`
	countSecrets  = `SELECT COUNT(*) FROM application_secrets WHERE application_id = $1`
	deleteSecret  = `DELETE FROM application_secrets WHERE id = $1`
	deleteSecrets = `DELETE FROM application_secrets WHERE application_id = $1`
	touchSecret   = `UPDATE application_secrets SET last_used_at = $3 WHERE application_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)`
	// One row for each secret, one without a secret if there is none: what a request needs to know of its client, at once.
	selectClient = `SELECT a.id, a.client_id, a.name, a.description, a.organization_id, a.is_default, a.is_first_party, a.is_public, a.uses_pkce, a.scopes,
		a.signing_alg, a.logout_uri, a.initiate_login_uri, a.created_at, a.updated_at, s.id, s.hash, s.last_used_at
		FROM applications a LEFT JOIN application_secrets s ON s.application_id = a.id WHERE a.client_id = $1 AND a.deleted_at IS NULL ORDER BY s.id`

	selectKeys     = `SELECT kid, alg, generation, private_key, public_key, created_at, signs_from, signs_until, shown_until FROM signing_keys ORDER BY alg, generation`
	insertKey      = `INSERT INTO signing_keys (kid, alg, generation, private_key, public_key, created_at, signs_from, signs_until, shown_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	prolongKey     = `UPDATE signing_keys SET signs_until = $3, shown_until = $4 WHERE alg = $1 AND generation = $2`
	deleteNewest   = `DELETE FROM signing_keys WHERE alg = $1 AND generation = $2`
	deleteKeys     = `DELETE FROM signing_keys WHERE alg = $1 AND generation < $2`
	forgetPrivates = `UPDATE signing_keys SET private_key = NULL WHERE signs_until < $1 AND private_key IS NOT NULL
		AND EXISTS (SELECT 1 FROM signing_keys later WHERE later.alg = signing_keys.alg AND later.generation > signing_keys.generation AND later.signs_from < $1)`

	selectCursor   = `SELECT cursor FROM logout_cursor WHERE name = 'log'`
	moveCursor     = `UPDATE logout_cursor SET cursor = $1 WHERE name = 'log' AND cursor = $2`
	insertDelivery = `INSERT INTO logout_deliveries (id, application_id, session_id, organization_id, user_id, event_id, state, attempts, next_at, ended_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, $7, $8, $7) ON CONFLICT DO NOTHING`
	toTell = `SELECT sa.application_id FROM session_applications sa JOIN applications a ON a.id = sa.application_id
		WHERE sa.session_id = $1 AND a.deleted_at IS NULL AND a.logout_uri IS NOT NULL ORDER BY sa.application_id`
	deliveryColumns = `id, application_id, session_id, organization_id, user_id, event_id, state, attempts, next_at, last_status, last_error, ended_at, created_at, finished_at`
	selectDelivery  = `SELECT ` + deliveryColumns + ` FROM logout_deliveries WHERE `
	dueDeliveries   = selectDelivery + `next_at <= $1`
	// The lease: whoever claims puts it off, so that of several processes one sends, and another goes on if that one dies.
	claimDelivery    = `UPDATE logout_deliveries SET next_at = $3, attempts = attempts + 1 WHERE id = $1 AND next_at = $2 AND state = 'pending'`
	finishDelivery   = `UPDATE logout_deliveries SET state = $2, next_at = NULL, last_status = $3, last_error = $4, finished_at = $5 WHERE id = $1 AND state = 'pending'`
	postponeDelivery = `UPDATE logout_deliveries SET next_at = $2, last_status = $3, last_error = $4 WHERE id = $1 AND state = 'pending'`
	expireDeliveries = `DELETE FROM logout_deliveries WHERE id IN (SELECT id FROM logout_deliveries WHERE id < $1 AND state <> 'pending' ORDER BY id LIMIT 1000)`
)
