package switching

const (
	switchColumns = `id, organization_id, state, from_connection, to_connection, from_directory, to_directory, before, counts, version, created_at, updated_at,
		cut_over_at, revertible_until, ended_at`
	insertSwitch = `INSERT INTO identity_provider_switches (` + switchColumns + `) VALUES ($1, $2, 'preparing', $3, $4, $5, $6, '{}', '{}', 1, $7, $7, NULL, NULL, NULL)`
	selectSwitch = `SELECT ` + switchColumns + ` FROM identity_provider_switches WHERE organization_id = $1`
	selectOne    = selectSwitch + ` AND id = $2`
	selectOpen   = selectSwitch + ` AND state IN ('preparing', 'cut_over')`
	selectDue    = `SELECT ` + switchColumns + ` FROM identity_provider_switches WHERE state = 'cut_over' AND revertible_until <= $1 ORDER BY revertible_until LIMIT $2`
	// The state and the version are those that were seen.
	updateSwitch = `UPDATE identity_provider_switches SET state = $5, before = $6, counts = $7, updated_at = $8, cut_over_at = $9, revertible_until = $10, ended_at = $11,
		version = version + 1 WHERE organization_id = $1 AND id = $2 AND state = $3 AND version = $4`
	moveVersion    = `UPDATE identity_provider_switches SET version = version + 1 WHERE organization_id = $1 AND id = $2`
	deleteSwitches = `DELETE FROM identity_provider_switches WHERE organization_id = $1`

	matchColumns  = `organization_id, switch_id, kind, old_id, new_id, match, found_by, membership_id`
	selectMatches = `SELECT old_id, new_id, match, found_by, membership_id FROM identity_provider_switch_matches
		WHERE organization_id = $1 AND switch_id = $2 AND kind = $3`
	orderMatches     = ` ORDER BY old_id`
	selectMatchOfOld = selectMatches + ` AND old_id = $4`
	selectMatchOfNew = selectMatches + ` AND new_id = $4`
	upsertMatch      = `INSERT INTO identity_provider_switch_matches (` + matchColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (organization_id, switch_id, kind, old_id) DO UPDATE SET new_id = $5, match = $6, found_by = $7, membership_id = $8`
	insertMatches   = `INSERT INTO identity_provider_switch_matches (` + matchColumns + `) VALUES %s`
	deleteMatches   = `DELETE FROM identity_provider_switch_matches WHERE organization_id = $1 AND switch_id = $2`
	deleteMatchesOf = `DELETE FROM identity_provider_switch_matches WHERE organization_id = $1`
)
