package directory

// How a directory is kept.
const (
	lastExchangeAt = `SELECT MAX(at) FROM (SELECT at FROM exchanges WHERE directory_id = $1 AND NOT refused ORDER BY id DESC LIMIT 1) AS x`
	// $2 is since when somebody has to be inactive: a removal may come after the deactivation. Of those who left, the newest $3 are looked at. SQLite takes a
	// CROSS JOIN in the order in which it is written: left to itself it begins with all groups. %[1]s is what the newest are found by, see newestLeavers.
	selectLeftBehind = `SELECT g.id, g.name, COUNT(*), MAX(u.updated_at) FROM
		(SELECT id, updated_at FROM directory_users WHERE directory_id = $1 AND NOT active AND updated_at < $2 ORDER BY %[1]s DESC LIMIT $3) AS u
		CROSS JOIN directory_group_members m CROSS JOIN directory_groups g
		WHERE m.directory_id = $1 AND m.member_id = u.id AND g.directory_id = $1 AND g.id = m.group_id
		GROUP BY g.id, g.name ORDER BY COUNT(*) DESC, g.id LIMIT $4`
	byIDs                  = `id`       // going through everybody from the newest on
	byLeavers              = `id || ''` // no index has it: going through those who are inactive, and sorting them
	selectNewestGroupWrite = `SELECT MAX(updated_at) FROM directory_groups WHERE directory_id = $1`
	selectStaleGroups      = `SELECT id, name, updated_at FROM directory_groups WHERE directory_id = $1 AND updated_at < $2 ORDER BY updated_at, id LIMIT $3`
	// Groups that requests have named of late, a read too: the provider knows them.
	selectNamedGroups = `SELECT path FROM (SELECT path FROM exchanges WHERE directory_id = $1 ORDER BY id DESC LIMIT $2) AS x WHERE path LIKE '/Groups/%'`
	selectNewestUsers = selectUsers + ` ORDER BY u.id DESC LIMIT $2`

	// Which of some values people of an organization's directories have: $1 is the organization, then externalIds, user names, addresses.
	selectArrived = `SELECT 'external', u.external_id FROM directories d JOIN directory_users u ON u.directory_id = d.id AND u.external_id IN (%[1]s)
		WHERE d.organization_id = $1 AND d.deleted_at IS NULL
		UNION ALL SELECT 'name', u.user_name_key FROM directories d JOIN directory_users u ON u.directory_id = d.id AND u.user_name_key IN (%[2]s)
		WHERE d.organization_id = $1 AND d.deleted_at IS NULL
		UNION ALL SELECT 'email', e.email_key FROM directories d JOIN directory_user_emails e ON e.directory_id = d.id AND e.email_key IN (%[3]s)
		WHERE d.organization_id = $1 AND d.deleted_at IS NULL`
	// Who was there once and was taken out again did arrive.
	selectArrivedOnce = `SELECT 'external', external_id FROM directory_old_ids WHERE organization_id = $1 AND kind = 'user' AND external_id IN (%[1]s)
		UNION ALL SELECT 'name', user_name_key FROM directory_old_ids WHERE organization_id = $1 AND kind = 'user' AND user_name_key IN (%[2]s)`
)
