package operator

const (
	holdGate = `INSERT INTO operator_gate (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1`

	operatorColumns = `id, email, name, role, created_at, last_sign_in_at`
	selectOperators = `SELECT ` + operatorColumns + `, (SELECT COUNT(*) FROM operator_passkeys p WHERE p.operator_id = operators.id) FROM operators WHERE removed_at IS NULL`
	listOperators   = selectOperators + ` ORDER BY id`
	operatorByID    = selectOperators + ` AND id = $1`
	operatorByEmail = selectOperators + ` AND email_key = $1`
	anyOperator     = `SELECT EXISTS (SELECT 1 FROM operators WHERE removed_at IS NULL)`
	countOwners     = `SELECT COUNT(*) FROM operators WHERE removed_at IS NULL AND role = 'owner' AND id <> $1`
	insertOperator  = `INSERT INTO operators (id, email, email_key, name, role, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`
	updateOperator  = `UPDATE operators SET name = $2, role = $3, updated_at = $4 WHERE id = $1 AND removed_at IS NULL`
	removeOperator  = `UPDATE operators SET removed_at = $2, updated_at = $2 WHERE id = $1 AND removed_at IS NULL`
	noteSignIn      = `UPDATE operators SET last_sign_in_at = $2 WHERE id = $1 AND removed_at IS NULL`

	insertLink = `INSERT INTO operator_links (hash, operator_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`
	// A link of somebody who was removed, or of a first operator where there is one, is none.
	selectLink = `SELECT l.operator_id FROM operator_links l WHERE l.hash = $1 AND l.used_at IS NULL AND l.expires_at > $2
		AND CASE WHEN l.operator_id IS NULL THEN NOT EXISTS (SELECT 1 FROM operators o WHERE o.removed_at IS NULL)
		ELSE EXISTS (SELECT 1 FROM operators o WHERE o.id = l.operator_id AND o.removed_at IS NULL) END`
	useLink       = `UPDATE operator_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2`
	endLinks      = `DELETE FROM operator_links WHERE operator_id = $1`
	endFirstLinks = `DELETE FROM operator_links WHERE operator_id IS NULL AND used_at IS NULL`

	sessionColumns   = `id, operator_id, method, ip, user_agent, created_at, seen_at, expires_at`
	sessionSelection = `s.id, s.operator_id, s.method, s.ip, s.user_agent, s.created_at, s.seen_at, s.expires_at`
	insertSession    = `INSERT INTO operator_sessions (cookie_hash, ` + sessionColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`
	living           = ` AND s.ended_at IS NULL AND s.expires_at > $2 AND s.seen_at > $3`
	sessionByCookie  = `SELECT ` + sessionSelection + `, o.email, o.name, o.role, o.created_at, o.last_sign_in_at FROM operator_sessions s
		JOIN operators o ON o.id = s.operator_id AND o.removed_at IS NULL WHERE s.cookie_hash = $1` + living
	listSessions  = `SELECT ` + sessionSelection + ` FROM operator_sessions s WHERE s.operator_id = $1` + living + ` ORDER BY s.id DESC`
	touchSession  = `UPDATE operator_sessions SET seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND seen_at < $2`
	endSession    = `UPDATE operator_sessions SET ended_at = $3 WHERE operator_id = $1 AND id = $2 AND ended_at IS NULL`
	endSessions   = `UPDATE operator_sessions SET ended_at = $2 WHERE operator_id = $1 AND ended_at IS NULL`
	endOthers     = `UPDATE operator_sessions SET ended_at = $3 WHERE operator_id = $1 AND id <> $2 AND ended_at IS NULL`
	expireSession = `DELETE FROM operator_sessions WHERE expires_at < $1`
	expireLinks   = `DELETE FROM operator_links WHERE expires_at < $1`
	expireAsked   = `DELETE FROM operator_ceremonies WHERE expires_at < $1`

	insertCeremony = `INSERT INTO operator_ceremonies (hash, operator_id, session, expires_at) VALUES ($1, $2, $3, $4)`
	selectCeremony = `SELECT session FROM operator_ceremonies WHERE hash = $1 AND operator_id = $2 AND expires_at > $3`
	deleteCeremony = `DELETE FROM operator_ceremonies WHERE hash = $1`

	passkeyColumns = `id, operator_id, rp_id, name, created_at, last_used_at`
	listPasskeys   = `SELECT ` + passkeyColumns + ` FROM operator_passkeys WHERE operator_id = $1 ORDER BY id`
	selectPasskey  = `SELECT ` + passkeyColumns + ` FROM operator_passkeys WHERE operator_id = $1 AND id = $2`
	credentialsOf  = `SELECT credential FROM operator_passkeys WHERE operator_id = $1 AND rp_id = $2 ORDER BY id`
	passkeyShown   = `SELECT id, operator_id, credential FROM operator_passkeys WHERE rp_id = $1 AND credential_id = $2`
	insertPasskey  = `INSERT INTO operator_passkeys (id, operator_id, rp_id, credential_id, credential, name, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	usePasskey     = `UPDATE operator_passkeys SET credential = $3, last_used_at = $4 WHERE id = $1 AND operator_id = $2 AND credential = $5`
	deletePasskey  = `DELETE FROM operator_passkeys WHERE operator_id = $1 AND id = $2`
	deletePasskeys = `DELETE FROM operator_passkeys WHERE operator_id = $1`
)
