package directory

// The brake: who has left, what is held, and how consumers know whom it holds.
const (
	// Whom consumers know as active: whom the provider wants in, and whom the brake holds or keeps.
	knownActive = `(u.active OR u.held IS NOT NULL)`

	updateBrake = `UPDATE directories SET brake_enabled = $2, brake_share = $3, brake_people = $4, brake_window = $5, brake_hold = $6, updated_at = $7
		WHERE id = $1 AND deleted_at IS NULL`
	insertBrake = `INSERT INTO directory_brakes (directory_id, number) VALUES ($1, 1) ON CONFLICT (directory_id) DO UPDATE SET number = directory_brakes.number + 1`
	// One statement, so that number and count are of one moment. $3 is who leaves now.
	selectDeparted = `SELECT b.number, (SELECT COUNT(*) FROM directory_departures d WHERE d.directory_id = b.directory_id AND d.left_at > $2 AND d.directory_user_id <> $3)
		FROM directory_brakes b WHERE b.directory_id = $1`
	moveBrake       = `UPDATE directory_brakes SET number = number + 1 WHERE directory_id = $1 AND number = $2`
	insertDeparture = `INSERT INTO directory_departures (directory_id, directory_user_id, left_at) VALUES ($1, $2, $3)
		ON CONFLICT (directory_id, directory_user_id) DO UPDATE SET left_at = excluded.left_at`
	deleteDeparture   = `DELETE FROM directory_departures WHERE directory_id = $1 AND directory_user_id = $2`
	expireDepartures  = `DELETE FROM directory_departures WHERE left_at < $1`
	deleteDepartures  = `DELETE FROM directory_departures WHERE directory_id = $1`
	selectActiveCount = `SELECT CAST((SELECT COALESCE(SUM(n), 0) FROM directory_tally_blocks WHERE directory_id = $1 AND kind = 'user') AS BIGINT)
		+ CAST((SELECT COALESCE(SUM(delta), 0) FROM directory_tally_pending WHERE directory_id = $1 AND kind = 'user') AS BIGINT)
		- (SELECT COUNT(*) FROM directory_users WHERE directory_id = $1 AND NOT active)`

	holdColumns   = `id, organization_id, directory_id, state, reason, people, departed, active, until_at, engaged_at, ended_at, ended_by`
	selectHolds   = `SELECT ` + holdColumns + ` FROM directory_holds WHERE directory_id = $1`
	selectHold    = selectHolds + ` AND id = $2`
	selectWaiting = `SELECT id FROM directory_holds WHERE directory_id = $1 AND state = 'waiting'`
	// Of directories that are there still; there is one at most of each.
	selectWaitingHolds = `SELECT ` + holdColumns + ` FROM directory_holds WHERE state = 'waiting'
		AND EXISTS (SELECT 1 FROM directories d WHERE d.id = directory_holds.directory_id AND d.deleted_at IS NULL) ORDER BY until_at LIMIT $1`
	insertHold = `INSERT INTO directory_holds (` + holdColumns + `) VALUES ($1, $2, $3, 'waiting', NULL, 1, $4, $5, $6, $7, NULL, NULL)`
	// Who came back while it waited, and leaves again, is one of its people already.
	joinHold = `UPDATE directory_holds SET people = people + CASE WHEN EXISTS (SELECT 1 FROM directory_held_people WHERE hold_id = $2 AND directory_user_id = $3)
		THEN 0 ELSE 1 END WHERE directory_id = $1 AND id = $2 AND state = 'waiting'`
	endHold        = `UPDATE directory_holds SET state = $3, reason = $4, ended_at = $5, ended_by = $6 WHERE directory_id = $1 AND id = $2 AND state = 'waiting'`
	beginHolding   = `UPDATE directories SET holding = TRUE WHERE id = $1 AND deleted_at IS NULL`
	endHolding     = `UPDATE directories SET holding = FALSE WHERE id = $1`
	anyHeld        = `SELECT 1 FROM directory_held_people WHERE directory_id = $1 AND document IS NOT NULL LIMIT 1`
	selectHolding  = `SELECT id FROM directories WHERE holding ORDER BY id`
	lockHolding    = `SELECT id FROM directories WHERE id = $1 AND holding`
	selectDueHolds = `SELECT h.directory_id, h.id, CASE WHEN d.deleted_at IS NOT NULL THEN 'directory_deleted' WHEN NOT d.brake_enabled THEN 'switched_off' ELSE 'expired' END
		FROM directory_holds h JOIN directories d ON d.id = h.directory_id
		WHERE h.state = 'waiting' AND (h.until_at <= $1 OR NOT d.brake_enabled OR d.deleted_at IS NOT NULL) ORDER BY h.until_at LIMIT 100`

	heldColumns = `p.hold_id, p.directory_user_id, p.organization_id, p.directory_id, p.state, p.says, p.cause, p.user_name_key, p.external_id, p.idp_id,
		p.version, p.groups, p.document, p.user_created_at, p.user_updated_at, p.held_at, p.settled_at`
	insertHeld = `INSERT INTO directory_held_people (hold_id, directory_user_id, organization_id, directory_id, state, says, cause, user_name_key, external_id, idp_id,
		version, groups, document, user_created_at, user_updated_at, held_at) VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (hold_id, directory_user_id) DO UPDATE SET state = 'waiting', says = excluded.says, cause = excluded.cause, user_name_key = excluded.user_name_key,
		external_id = excluded.external_id, idp_id = excluded.idp_id, version = excluded.version, groups = excluded.groups, document = excluded.document,
		user_updated_at = excluded.user_updated_at, held_at = excluded.held_at, settled_at = NULL`
	// Who is held by a hold; of one whose directory has removed the person, the groups that consumers know them in.
	removeHeld = `UPDATE directory_held_people SET says = 'removed', groups = $3, cause = $4 WHERE directory_id = $1 AND directory_user_id = $2 AND state = 'waiting'
		AND document IS NOT NULL`
	// The one who was removed and is there again.
	reviveHeld = `UPDATE directory_held_people SET says = 'inactive', groups = '' WHERE directory_id = $1 AND directory_user_id = $2 AND state = 'waiting' AND document IS NOT NULL`
	settleHeld = `UPDATE directory_held_people SET state = $3, document = NULL, user_name_key = '', external_id = NULL, idp_id = '', groups = '', settled_at = $4
		WHERE directory_id = $1 AND directory_user_id = $2 AND document IS NOT NULL`
	settleWaiting = settleHeld + ` AND hold_id = $5 AND state = 'waiting'`
	keepHeld      = `UPDATE directory_held_people SET state = 'kept', settled_at = $4 WHERE directory_id = $1 AND directory_user_id = $2 AND hold_id = $3
		AND state = 'waiting' AND document IS NOT NULL`
	selectHeld         = `SELECT ` + heldColumns + ` FROM directory_held_people p WHERE p.directory_id = $1 AND p.document IS NOT NULL`
	selectPeopleOfHold = `SELECT ` + heldColumns + ` FROM directory_held_people p WHERE p.directory_id = $1 AND p.hold_id = $2`
	countStillHeld     = `SELECT COUNT(*) FROM directory_held_people WHERE directory_id = $1 AND hold_id = $2 AND state = 'waiting'`
	// Of each hold the first hundred.
	selectOfHolds = `SELECT hold_id, directory_user_id, state, says, held_at FROM (SELECT p.hold_id, p.directory_user_id, p.state, p.says, p.held_at,
		ROW_NUMBER() OVER (PARTITION BY p.hold_id ORDER BY p.directory_user_id) AS n
		FROM directory_held_people p WHERE p.directory_id = $1 AND p.hold_id IN (%s)) AS f WHERE n <= 100 ORDER BY hold_id, directory_user_id`
	selectCauseOfHold = `SELECT cause FROM directory_held_people WHERE organization_id = $1 AND directory_user_id = $2 ORDER BY held_at DESC LIMIT 1`
	selectHeldThen    = `SELECT state, settled_at FROM directory_held_people WHERE organization_id = $1 AND directory_user_id = $2 AND held_at >= $3 AND held_at <= $4
		ORDER BY held_at DESC LIMIT 1`
	// A removed person who is held, by id alone: the management key may see every organization.
	selectAnyGone = `SELECT ` + heldColumns + ` FROM directory_held_people p WHERE p.directory_user_id = $1 AND p.document IS NOT NULL AND p.says = 'removed'
		AND p.directory_id IN (SELECT id FROM directories WHERE holding AND deleted_at IS NULL)`
	selectStillHeld = `SELECT 1 FROM directory_held_people WHERE directory_id = $1 AND directory_user_id = $2 AND hold_id = $3 AND state = 'waiting'
		AND document IS NOT NULL`
	// People of holds that have ended, whom nobody has seen to yet.
	selectUnsettled = `SELECT ` + heldColumns + `, h.state FROM directory_holds h JOIN directory_held_people p ON p.hold_id = h.id AND p.state = 'waiting'
		WHERE h.state <> 'waiting' AND p.document IS NOT NULL AND (p.hold_id, p.directory_user_id) > ($1, $2) ORDER BY p.hold_id, p.directory_user_id LIMIT $3`
	endHeld  = `UPDATE directory_users SET held = NULL, hidden = $4, version = version + 1 WHERE directory_id = $1 AND id = $2 AND version = $3 AND held = 'waiting'`
	keepUser = `UPDATE directory_users SET held = 'kept', version = version + 1 WHERE directory_id = $1 AND id = $2 AND version = $3 AND held = 'waiting'`
	// A person who is there again under the id that consumers know.
	reviveUser = `UPDATE directory_users SET version = $3, held = $4 WHERE directory_id = $1 AND id = $2`

	deleteHoldsOf = `DELETE FROM directory_holds WHERE organization_id = $1`
	deleteHeldOf  = `DELETE FROM directory_held_people WHERE organization_id = $1`
)
