package itadmin

const (
	selectContacts = `SELECT id, organization_id, email, name, created_at FROM it_contacts WHERE TRUE`
	insertContact  = `INSERT INTO it_contacts (id, organization_id, email, email_key, name, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	countContacts  = `SELECT COUNT(*) FROM it_contacts WHERE organization_id = $1`
	deleteContact  = `DELETE FROM it_contacts WHERE organization_id = $1 AND id = $2`
	holdContact    = `SELECT id FROM it_contacts WHERE organization_id = $1 AND id = $2`
	withAddress    = ` AND email_key = $1 ORDER BY id DESC LIMIT $2`
	ofOrganization = ` AND organization_id = $1 ORDER BY id`

	deleteContactSessions = `DELETE FROM portal_sessions WHERE organization_id = $1 AND contact_id = $2`
	deleteContactLinks    = `DELETE FROM portal_links WHERE organization_id = $1 AND contact_id = $2`

	insertLink = `INSERT INTO portal_links (hash, id, organization_id, contact_id, intent, return_url, success_url, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	selectLink = `SELECT id, organization_id, contact_id, intent, return_url, success_url, created_at, expires_at, used_at FROM portal_links WHERE hash = $1`
	// A link of the app opens once; one of a contact is not used up.
	useLink = `UPDATE portal_links SET used_at = $2 WHERE hash = $1 AND expires_at > $2 AND (contact_id IS NOT NULL OR used_at IS NULL)`

	insertSession = `INSERT INTO portal_sessions (hash, id, organization_id, contact_id, link_id, intent, return_url, success_url, code, tries,
			code_expires_at, created_at, verified_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13)`
	selectSession = `SELECT s.id, s.organization_id, s.contact_id, s.link_id, s.intent, s.return_url, s.success_url, s.code, s.verified_at, s.expires_at, s.ended_at,
			c.email, c.name FROM portal_sessions s LEFT JOIN it_contacts c ON c.organization_id = s.organization_id AND c.id = s.contact_id WHERE s.hash = $1`
	countCodes = `SELECT COUNT(*) FROM portal_sessions WHERE organization_id = $1 AND contact_id = $2 AND created_at > $3`
	tryCode    = `UPDATE portal_sessions SET tries = tries + 1 WHERE hash = $1 AND tries < $2 AND verified_at IS NULL AND ended_at IS NULL AND code_expires_at > $3
		AND (SELECT COALESCE(SUM(d.tries), 0) FROM portal_sessions d WHERE d.organization_id = $4 AND d.contact_id = $5 AND d.created_at > $6) < $7`
	verifySession = `UPDATE portal_sessions SET hash = $2, code = NULL, verified_at = $3, expires_at = $4 WHERE hash = $1 AND verified_at IS NULL AND ended_at IS NULL`
	endSession    = `UPDATE portal_sessions SET ended_at = $3, code = NULL WHERE organization_id = $1 AND id = $2 AND ended_at IS NULL`
	endReplaced   = `UPDATE portal_sessions SET ended_at = $2, code = NULL WHERE hash = $1 AND ended_at IS NULL`

	insertAsk = `INSERT INTO portal_asks (id, email_key, created_at) VALUES ($1, $2, $3)`
	openAsks  = `SELECT id, email_key, created_at FROM portal_asks WHERE done_at IS NULL ORDER BY id LIMIT $1`
	countAsks = `SELECT COUNT(*) FROM portal_asks WHERE email_key = $1 AND created_at > $2 AND id < $3`
	closeAsk  = `UPDATE portal_asks SET done_at = $2 WHERE id = $1`

	deleteOldAsks     = `DELETE FROM portal_asks WHERE created_at < $1`
	deleteOldLinks    = `DELETE FROM portal_links WHERE expires_at < $1`
	deleteOldSessions = `DELETE FROM portal_sessions WHERE expires_at < $1`

	forgetSessions = `DELETE FROM portal_sessions WHERE organization_id = $1`
	forgetLinks    = `DELETE FROM portal_links WHERE organization_id = $1`
	forgetContacts = `DELETE FROM it_contacts WHERE organization_id = $1`
)
