package session

const (
	sessionColumns = `id, organization_id, user_id, connection_id, profile_id, idp_session, auth_method, amr, ip, user_agent, authenticated_at,
		created_at, seen_at, idle_seconds, expires_at, browser, subject, subject_key, ended_at, end_reason`
	insertSession = `INSERT INTO sessions (cookie_hash, ` + sessionColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, NULL, NULL)`
	// A session goes on under a new cookie only as what it was: of one person, at one organization, by one way in.
	continueSession = `UPDATE sessions SET cookie_hash = $6, idp_session = $7, auth_method = $8, amr = $9, ip = $10, user_agent = $11, authenticated_at = $12,
		seen_at = $13, idle_seconds = $14, expires_at = $15, browser = $16, subject = $17, subject_key = $18
		WHERE id = $1 AND organization_id = $2 AND user_id = $3 AND COALESCE(connection_id, '') = $4 AND COALESCE(profile_id, '') = $5
		AND ended_at IS NULL AND expires_at > $13`
	keepName = `INSERT INTO session_names (session_id, subject_key, idp_session, created_at)
		SELECT id, COALESCE(subject_key, ''), COALESCE(idp_session, ''), $4 FROM sessions WHERE id = $1 AND connection_id IS NOT NULL
		AND (COALESCE(subject_key, '') <> $2 OR COALESCE(idp_session, '') <> $3) ON CONFLICT DO NOTHING`
	// What is told of those that end.
	openColumns     = `id, organization_id, user_id, auth_method, ip, user_agent, created_at, expires_at`
	selectOpen      = `SELECT ` + openColumns + ` FROM sessions WHERE `
	selectSession   = `SELECT ` + sessionColumns + ` FROM sessions WHERE `
	sessionByCookie = selectSession + `cookie_hash = $1`
	sessionByID     = selectSession + `id = $1`
	// Each branch has an index.
	sessionsHere = selectSession + `(cookie_hash = $1 OR browser = $2 AND expires_at > $3) AND ended_at IS NULL AND expires_at > $3` + livingLast
	// Sessions by what the provider calls them, or called them at an earlier sign-in. All conditions are inside: the names lead to few rows, the
	// organization and the connection to all that live.
	sessionsNamed = `id IN (SELECT id FROM sessions WHERE %[1]s AND %[2]s
		UNION SELECT id FROM session_names CROSS JOIN sessions WHERE id = session_id AND %[1]s AND %[3]s)`
	// Those that are only idle are ended too: a use that is still to be written would bring them back.
	notEnded   = ` AND ended_at IS NULL AND expires_at > `
	livingLast = ` ORDER BY id`
	// The limit of an hour ends sessions that nobody uses; what was used a moment ago is written before.
	touchSession = `UPDATE sessions SET seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 AND seen_at < $2`

	// A session that lives shorter serves shorter at once: whatever is shown of it is good only while it is.
	shortenSessions = `UPDATE sessions SET idle_seconds = CASE WHEN idle_seconds > $2 THEN $2 ELSE idle_seconds END,
		expires_at = CASE WHEN expires_at > created_at + $3 THEN created_at + $3 ELSE expires_at END
		WHERE organization_id = $1 AND ended_at IS NULL AND expires_at > $4 AND (idle_seconds > $2 OR expires_at > created_at + $3)`

	// By a condition, those alone that were read, or by their ids. Whoever writes a token of one of them has committed by then.
	endJust     = `UPDATE sessions SET ended_at = %s, end_reason = %s WHERE %s`
	endSessions = `UPDATE sessions SET ended_at = $1, end_reason = $3 WHERE %s AND ended_at IS NULL`

	endCodesOf   = `UPDATE authorization_codes SET ended_at = $1 WHERE %s AND ended_at IS NULL`
	endRefreshOf = `UPDATE refresh_tokens SET revoked_at = $1 WHERE %s AND revoked_at IS NULL`
	endAccessOf  = `UPDATE access_tokens SET revoked_at = $1 WHERE %s AND revoked_at IS NULL`

	// Codes first: a redemption holds its code, so that its token is there when the second statement looks.
	endCodesAlone  = `UPDATE authorization_codes SET ended_at = $1 WHERE session_id IS NULL AND organization_id = $2 AND ended_at IS NULL`
	endAccessAlone = `UPDATE access_tokens SET revoked_at = $1 WHERE session_id IS NULL AND organization_id = $2 AND revoked_at IS NULL`

	endCodesOfApplication   = `UPDATE authorization_codes SET ended_at = $1 WHERE application_id = $2 AND ended_at IS NULL`
	endRefreshOfApplication = `UPDATE refresh_tokens SET revoked_at = $1 WHERE application_id = $2 AND revoked_at IS NULL`
	endAccessOfApplication  = `UPDATE access_tokens SET revoked_at = $1 WHERE application_id = $2 AND revoked_at IS NULL`

	holdSession      = `SELECT id FROM sessions WHERE id = $1`
	livingSession    = holdSession + ` AND ended_at IS NULL AND expires_at > $2 AND seen_at + idle_seconds * 1000000 > $2`
	endRefreshGrant  = `UPDATE refresh_tokens SET revoked_at = $1 WHERE grant_id = $2 AND application_id = $3 AND revoked_at IS NULL`
	endAccessGrant   = `UPDATE access_tokens SET revoked_at = $1 WHERE grant_id = $2 AND application_id = $3 AND revoked_at IS NULL`
	endAccess        = `UPDATE access_tokens SET revoked_at = $1 WHERE hash = $2 AND application_id = $3 AND revoked_at IS NULL`
	endCodesOfGrant  = `UPDATE authorization_codes SET ended_at = $1 WHERE hash = $2 AND application_id = $3 AND ended_at IS NULL`
	insertAppSession = `INSERT INTO session_applications (session_id, application_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	appsOfSession    = `SELECT application_id FROM session_applications WHERE session_id = $1 ORDER BY application_id`

	codeColumns = `hash, application_id, organization_id, session_id, user_id, profile_id, connection_id, redirect_uri, challenge, nonce, scope, style,
		grant_id, amr, authenticated_at, until_at, created_at, expires_at`
	insertCode = `INSERT INTO authorization_codes (` + codeColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`
	selectCode = `SELECT ` + codeColumns + `, used_at, ended_at FROM authorization_codes WHERE hash = $1 AND application_id = $2`
	useCode    = `UPDATE authorization_codes SET used_at = $1 WHERE hash = $2 AND application_id = $3 AND redirect_uri = $4 AND style = $5
		AND used_at IS NULL AND ended_at IS NULL AND expires_at > $1`

	accessColumns = `hash, grant_id, application_id, organization_id, session_id, user_id, profile_id, connection_id, style, scope, created_at, expires_at`
	insertAccess  = `INSERT INTO access_tokens (` + accessColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	// A token is as good as its session, whatever its own row says.
	selectAccess = `SELECT ` + accessColumns + ` FROM access_tokens t WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2
		AND (session_id IS NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = t.session_id AND s.ended_at IS NULL AND s.expires_at > $2))`

	refreshColumns = `hash, grant_id, application_id, organization_id, session_id, user_id, profile_id, scope, nonce, authenticated_at, created_at, expires_at`
	insertRefresh  = `INSERT INTO refresh_tokens (` + refreshColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	selectRefresh  = `SELECT ` + refreshColumns + `, used_at, revoked_at FROM refresh_tokens WHERE hash = $1 AND application_id = $2`
	useRefresh     = `UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2 AND application_id = $3 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $1`

	magicColumns = `id, email_key, email, user_id, number, code, link_hash, browser, continuation, tries, created_at, expires_at, used_at`
	selectMagic  = `SELECT ` + magicColumns + ` FROM magic_auths WHERE `
	// Of an address: how many are of this day and of this hour, and the last number. One statement: a number that was read after the others
	// were counted would let one more through.
	countMagic = `SELECT COALESCE(SUM(CASE WHEN created_at > $2 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN created_at > $3 THEN 1 ELSE 0 END), 0),
		COALESCE(MAX(number), 0) FROM magic_auths WHERE email_key = $1`
	insertMagic = `INSERT INTO magic_auths (` + magicColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, NULL)`
	// A try is counted before it is looked at: of a hundred at once no more are looked at than there may be.
	tryMagic = `UPDATE magic_auths SET tries = tries + 1 WHERE id = $1 AND browser = $2 AND tries < $3 AND used_at IS NULL AND expires_at > $4
		AND (SELECT COALESCE(SUM(tries), 0) FROM magic_auths WHERE email_key = $5 AND created_at > $6) < $7`
	tallySessions = `SELECT COUNT(*) FROM (SELECT 1 FROM sessions WHERE id >= $1 AND id < $2 LIMIT $3) AS counted`

	holdMagics = `SELECT id FROM magic_auths WHERE email_key = $1 ORDER BY number`
	useMagic   = `UPDATE magic_auths SET used_at = $2 WHERE id = $1 AND browser = $3 AND used_at IS NULL AND expires_at > $2`

	forgetSessions = `UPDATE sessions SET ip = NULL, user_agent = NULL, subject = NULL, subject_key = NULL WHERE organization_id = $1 AND user_id = $2`
	forgetNames    = `DELETE FROM session_names WHERE session_id IN (SELECT id FROM sessions WHERE organization_id = $1 AND user_id = $2)`
	forgetMagics   = `DELETE FROM magic_auths WHERE user_id = $1`

	expireSessions = `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2)`
	expireApps     = `DELETE FROM session_applications WHERE session_id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2)`
	expireNames    = `DELETE FROM session_names WHERE session_id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2)`
	expireCodes    = `DELETE FROM authorization_codes WHERE hash IN (SELECT hash FROM authorization_codes WHERE expires_at < $1 LIMIT $2)`
	expireAccess   = `DELETE FROM access_tokens WHERE hash IN (SELECT hash FROM access_tokens WHERE expires_at < $1 LIMIT $2)`
	expireRefresh  = `DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE expires_at < $1 LIMIT $2)`
	expireMagics   = `DELETE FROM magic_auths WHERE id IN (SELECT id FROM magic_auths WHERE expires_at < $1 LIMIT $2)`
)
