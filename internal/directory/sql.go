package directory

import (
	"fmt"
	"strings"
)

// Every statement of this noun. Each names the directory (or organization) it may touch.
const (
	directoryColumns = `id, organization_id, address_key, label, name, type, provider, state, inactive_users, provisioning, strict,
		extensions, live_at, paused_at, created_at, updated_at`
	selectDirectory = `SELECT ` + directoryColumns + `, brake_enabled, brake_share, brake_people, brake_window, brake_hold, holding, switching
		FROM directories WHERE deleted_at IS NULL`
	insertDirectory = `INSERT INTO directories (` + directoryColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, $14, $15)`
	// How providers get on. Each of the inner ones is one step in an index; what is refused for its token, which the first one passes over, is
	// kept in limited number.
	selectPulses = `SELECT d.id, d.organization_id, d.name, d.provider,
		(SELECT x.at FROM exchanges x WHERE x.directory_id = d.id AND x.token_id IS NOT NULL ORDER BY x.id DESC LIMIT 1),
		(SELECT MAX(t.last_used_at) FROM directory_tokens t WHERE t.directory_id = d.id),
		(SELECT x.id FROM exchanges x WHERE x.directory_id = d.id AND x.refused ORDER BY x.id DESC LIMIT 1),
		(SELECT x.id FROM exchanges x WHERE x.directory_id = d.id AND x.status >= 400 AND NOT x.refused ORDER BY x.id DESC LIMIT 1)
		FROM directories d WHERE d.deleted_at IS NULL AND d.state = 'linked' AND COALESCE(d.switching, '') <> 'retired' AND d.id > $1 ORDER BY d.id LIMIT $2`
	selectTurnedAway = `SELECT at, user_agent FROM exchanges WHERE directory_id = $1 AND refused AND id >= $2 AND token_id IS NULL AND status = $3 ORDER BY id LIMIT 1100`
	selectAgents     = `SELECT DISTINCT user_agent FROM (SELECT user_agent FROM exchanges WHERE directory_id = $1 AND token_id IS NOT NULL
		ORDER BY id DESC LIMIT $2) AS known`
	selectFailed = `SELECT id, at, method, path, status, SUBSTR(body, 1, 1000) FROM exchanges WHERE directory_id = $1 AND status >= 400 AND NOT refused
		AND id >= $2 AND status < 500 AND status <> 429 AND method NOT IN ('GET', 'HEAD') ORDER BY id DESC LIMIT $3`
	// The first that came after, of any kind, so that what is looked at is bounded, and the same tomorrow as today.
	selectDone = `SELECT id, at, method, path, status, CASE WHEN method = 'POST' THEN SUBSTR(body, 1, 1000) END FROM
		(SELECT id, at, method, path, status, body FROM exchanges WHERE directory_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS later
		WHERE status < 400 AND method = $4`
	selectByAddress = selectDirectory + ` AND (address_key = $1 OR label = $1)`
	// Of one organization, for its API key.
	selectByOrganization = selectDirectory + ` AND organization_id = $1`
	selectByItsAddress   = selectByOrganization + ` AND (address_key = $2 OR label = $2)`
	updateDirectory      = `UPDATE directories SET name = $2, label = $3, provider = $4, inactive_users = $5, provisioning = $6, strict = $7, extensions = $8,
		updated_at = $9 WHERE id = $1 AND deleted_at IS NULL`
	alignDirectory   = `UPDATE directories SET align_until = $2 WHERE id = $1 AND deleted_at IS NULL`
	selectAligning   = `SELECT id, align_until FROM directories WHERE align_until IS NOT NULL AND deleted_at IS NULL ORDER BY id`
	alignedDirectory = `UPDATE directories SET align_until = NULL WHERE id = $1 AND align_until = $2`
	selectByToken    = `SELECT t.id, t.directory_id FROM directory_tokens t WHERE t.hash = $1 AND t.revoked_at IS NULL`
	linkDirectory    = `UPDATE directories SET state = 'linked', updated_at = $2 WHERE id = $1 AND state = 'unlinked'`
	deleteDirectory  = `UPDATE directories SET deleted_at = $2, updated_at = $2, label = NULL WHERE id = $1 AND deleted_at IS NULL AND switching IS NULL`
	selectEpoch      = `SELECT value FROM installation WHERE name = 'door_epoch'`
	bumpEpoch        = `UPDATE installation SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'door_epoch'`
	// PostgreSQL only: leases of doors. Times are the database's, so that processes need no common clock.
	renewLease = `INSERT INTO door_leases (process, epoch, expires_at) VALUES ($1, $2, clock_timestamp() + interval '2 seconds')
		ON CONFLICT (process) DO UPDATE SET epoch = excluded.epoch, expires_at = excluded.expires_at`
	endLease      = `DELETE FROM door_leases WHERE process = $1 OR expires_at < clock_timestamp() - interval '1 minute'`
	anyLeaseBelow = `SELECT EXISTS (SELECT 1 FROM door_leases WHERE epoch < $1 AND expires_at > clock_timestamp())`

	deleteDirectoriesOf = `UPDATE directories SET deleted_at = $2, updated_at = $2, label = NULL, switching = NULL WHERE organization_id = $1 AND deleted_at IS NULL`
	revokeTokensOf      = `UPDATE directory_tokens SET revoked_at = $2 WHERE revoked_at IS NULL
		AND directory_id IN (SELECT id FROM directories WHERE organization_id = $1)`

	insertToken   = `INSERT INTO directory_tokens (id, directory_id, hash, suffix, created_at) VALUES ($1, $2, $3, $4, $5)`
	selectTokens  = `SELECT id, suffix, created_at, last_used_at, revoked_at FROM directory_tokens WHERE directory_id = $1 ORDER BY id`
	countTokens   = `SELECT COUNT(*) FROM directory_tokens WHERE directory_id = $1 AND revoked_at IS NULL`
	revokeToken   = `UPDATE directory_tokens SET revoked_at = $3 WHERE directory_id = $1 AND id = $2 AND revoked_at IS NULL`
	revokeTokens  = `UPDATE directory_tokens SET revoked_at = $2 WHERE directory_id = $1 AND revoked_at IS NULL`
	touchToken    = `UPDATE directory_tokens SET last_used_at = $3 WHERE directory_id = $1 AND id = $2`
	lockDirectory = `SELECT id FROM directories WHERE id = $1 AND deleted_at IS NULL`
	// Of a page of directories: the folded counts and what is not folded yet, by directory and kind; and the inactive.
	countKinds = `SELECT directory_id, kind, CAST(SUM(n) AS BIGINT) FROM (
		SELECT directory_id, kind, n FROM directory_tally_blocks WHERE directory_id IN (%[1]s)
		UNION ALL SELECT directory_id, kind, delta FROM directory_tally_pending WHERE directory_id IN (%[1]s)) AS t GROUP BY directory_id, kind`
	countInactive = `SELECT directory_id, '', COUNT(*) FROM directory_users WHERE directory_id IN (%[1]s) AND NOT active GROUP BY directory_id`

	// People of an organization who share a value with a sign-in. $2 is the folded email, $3 one known by id; the lists are externalIds and
	// user names. A row without a person says that there is a directory which is live and linked. One that only collects says nothing yet.
	selectCandidates = `SELECT u.directory_id, u.id, u.external_id, u.user_name_key, %[3]s, FALSE
		FROM directories d JOIN directory_users u ON u.directory_id = d.id AND u.id = $3 WHERE d.organization_id = $1 AND d.deleted_at IS NULL AND d.live_at IS NOT NULL
		UNION ALL SELECT u.directory_id, u.id, u.external_id, u.user_name_key, %[3]s, FALSE
		FROM directories d JOIN directory_users u ON u.directory_id = d.id AND u.external_id IN (%[1]s) WHERE d.organization_id = $1 AND d.deleted_at IS NULL AND d.live_at IS NOT NULL
		UNION ALL SELECT u.directory_id, u.id, u.external_id, u.user_name_key, %[3]s, FALSE
		FROM directories d JOIN directory_users u ON u.directory_id = d.id AND u.user_name_key IN (%[2]s) WHERE d.organization_id = $1 AND d.deleted_at IS NULL AND d.live_at IS NOT NULL
		UNION ALL SELECT u.directory_id, u.id, u.external_id, u.user_name_key, %[3]s, TRUE
		FROM directories d JOIN directory_user_emails e ON e.directory_id = d.id AND e.email_key = $2
		JOIN directory_users u ON u.directory_id = e.directory_id AND u.id = e.user_id WHERE d.organization_id = $1 AND d.deleted_at IS NULL AND d.live_at IS NOT NULL
		UNION ALL SELECT d.id, '', NULL, '', FALSE, FALSE, FALSE FROM directories d WHERE d.organization_id = $1 AND d.deleted_at IS NULL AND d.live_at IS NOT NULL AND d.state = 'linked'`

	// Whom the brake keeps in is in, whatever the provider wrote.
	candidateIn = `(u.active OR COALESCE(u.held, '') = 'kept'), (u.suspended AND COALESCE(u.held, '') <> 'kept')`

	userColumns = `u.id, u.directory_id, u.idp_id, u.active, u.suspended, u.hidden, u.held, u.version, u.created_at, u.updated_at, u.document`
	// In no certain order, see ordered: an ORDER BY within the aggregate opens a sorter for each person, also for those in no group.
	groupsOfUser = `(SELECT string_agg(m.group_id, ',') FROM directory_group_members m WHERE m.directory_id = u.directory_id AND m.member_id = u.id)`
	selectUsers  = `SELECT ` + userColumns + `, NULL FROM directory_users u WHERE u.directory_id = $1`
	selectUsersG = `SELECT ` + userColumns + `, ` + groupsOfUser + ` FROM directory_users u WHERE u.directory_id = $1`

	// The API names people and groups by id alone: the management key may see every organization.
	selectAnyUser  = `SELECT ` + userColumns + `, ` + groupsOfUser + ` FROM directory_users u WHERE u.id = $1 AND u.directory_id IN (SELECT id FROM directories WHERE deleted_at IS NULL)`
	selectAnyGroup = `SELECT ` + groupColumns + ` FROM directory_groups g WHERE g.id = $1 AND g.directory_id IN (SELECT id FROM directories WHERE deleted_at IS NULL)`

	// Inserts nothing while a member value waits for the person.
	insertUser = `INSERT INTO directory_users (directory_id, id, user_name_key, external_id, idp_id, active, suspended, hidden, version, created_at, updated_at, document)
		SELECT $1, $2, $3, $4, $5, $6, FALSE, $11, 1, $7, $7, $8 WHERE NOT EXISTS (SELECT 1 FROM directory_parked_members
			WHERE directory_id = $1 AND value_key IN ($3, $9) AND (value_key = $3 OR value = $10))`
	updateUser = `UPDATE directory_users SET user_name_key = $4, external_id = $5, active = $6, suspended = $7, version = version + 1,
		updated_at = $8, document = $9, hidden = $10, held = $11 WHERE directory_id = $1 AND id = $2 AND version = $3`
	// The common update leaves the keys alone, and so their indexes.
	updateUserDocument = `UPDATE directory_users SET active = $4, suspended = $5, version = version + 1, updated_at = $6, document = $7, hidden = $8, held = $9
		WHERE directory_id = $1 AND id = $2 AND version = $3`
	// The same, for a person who is in no group: a statement of its own costs PostgreSQL a tenth of the write.
	updateUngrouped = updateUserDocument + ` AND ` + ungrouped
	ungrouped       = `NOT EXISTS (SELECT 1 FROM directory_group_members WHERE directory_id = $1 AND member_id = $2)`
	// People whom consumers know otherwise than the directory's setting wants it. The version moves, so that a change computed from
	// what they were before is computed again.
	selectUnaligned = selectUsers + ` AND NOT u.active AND u.held IS NULL AND u.hidden <> $2 ORDER BY u.id LIMIT $3`
	alignUsers      = `UPDATE directory_users SET hidden = $2, version = version + 1 WHERE directory_id = $1 AND hidden <> $2 AND id IN (%s)`
	deleteUser      = `DELETE FROM directory_users WHERE directory_id = $1 AND id = $2 AND version = $3`
	// Addresses equal to the user name are not stored a second time. $1 is the directory.
	hasEmail = `u.id IN (SELECT user_id FROM directory_user_emails WHERE directory_id = $1 AND email_key = %[1]s
		UNION ALL SELECT id FROM directory_users WHERE directory_id = $1 AND user_name_key = %[1]s)`
	// Those with an address between %[1]s and %[2]s or a user name between %[3]s and %[4]s, and those with the externalId or id %[5]s. Of very
	// many only the first are looked at, in the order of what was searched for.
	personBegins = `u.id IN (SELECT id FROM (SELECT user_id AS id FROM directory_user_emails WHERE directory_id = $1 AND email_key >= %[1]s AND email_key < %[2]s ORDER BY email_key LIMIT %[6]s) AS e
		UNION ALL SELECT id FROM (SELECT id FROM directory_users WHERE directory_id = $1 AND user_name_key >= %[3]s AND user_name_key < %[4]s ORDER BY user_name_key LIMIT %[6]s) AS n
		UNION ALL SELECT id FROM directory_users WHERE directory_id = $1 AND external_id = %[5]s
		UNION ALL SELECT id FROM directory_users WHERE directory_id = $1 AND id = %[5]s)`
	// The group first, whatever the planner thinks: its members are there in their order.
	selectGroupPeople = `SELECT ` + userColumns + `, NULL FROM directory_group_members m CROSS JOIN directory_users u
		WHERE m.directory_id = $1 AND m.group_id = $2 AND u.directory_id = $1 AND u.id = m.member_id`
	isInGroup    = `EXISTS (SELECT 1 FROM directory_group_members WHERE directory_id = $1 AND group_id = %s AND member_id = u.id)`
	insertEmail  = `INSERT INTO directory_user_emails (directory_id, email_key, user_id) VALUES ($1, $2, $3)`
	deleteEmails = `DELETE FROM directory_user_emails WHERE directory_id = $1 AND user_id = $2`
	userUnmoved  = `SELECT 1 FROM (SELECT COALESCE(string_agg(group_id, ',' ORDER BY group_id), '') AS ids
		FROM directory_group_members WHERE directory_id = $1 AND member_id = $2) AS m WHERE ids = $3`
	userUngrouped = `SELECT 1 WHERE ` + ungrouped
	nobodyParked  = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM directory_parked_members
		WHERE directory_id = $1 AND value_key IN ($2, $3) AND (value_key = $2 OR value = $4))`
	selectParked = `SELECT value_key, group_id, value, display FROM directory_parked_members
		WHERE directory_id = $1 AND value_key IN ($2, $3) AND (value_key = $2 OR value = $4)`
	deleteParked      = `DELETE FROM directory_parked_members WHERE directory_id = $1 AND value_key = $2 AND group_id = $3 AND value = $4`
	selectParkedUsers = `SELECT p.directory_id, u.id FROM directory_parked_members p
		JOIN directory_users u ON u.directory_id = p.directory_id AND u.user_name_key = p.value_key
		UNION SELECT p.directory_id, u.id FROM directory_parked_members p
		JOIN directory_users u ON u.directory_id = p.directory_id AND u.external_id = p.value LIMIT 100`

	insertOldID = `INSERT INTO directory_old_ids (organization_id, old_id, external_id, user_name_key, kind, removed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (organization_id, old_id) DO NOTHING`
	// The values an erased person was found by.
	deleteOldIDsOf = `DELETE FROM directory_old_ids WHERE organization_id = $1 AND kind = $2 AND (old_id = $3 OR user_name_key = $4 OR external_id = $5)`
	selectOldID    = `SELECT external_id, user_name_key FROM directory_old_ids WHERE organization_id = $1 AND old_id = $2 AND kind = $3`
	// People and groups of removed directories of the same organization keep answering for their ids.
	selectFormerUser = `SELECT u.external_id, u.user_name_key FROM directory_users u JOIN directories d ON d.id = u.directory_id
		WHERE d.organization_id = $1 AND d.deleted_at IS NOT NULL AND u.id = $2`
	selectFormerGroup = `SELECT g.external_id, g.display_name_key FROM directory_groups g JOIN directories d ON d.id = g.directory_id
		WHERE d.organization_id = $1 AND d.deleted_at IS NOT NULL AND g.id = $2`

	groupColumns = `g.id, g.directory_id, g.idp_id, g.name, g.version, g.created_at, g.updated_at, g.document`
	selectGroups = `SELECT ` + groupColumns + ` FROM directory_groups g WHERE g.directory_id = $1`
	insertGroup  = `INSERT INTO directory_groups (directory_id, id, display_name_key, name_owner, external_id, idp_id, name, version, created_at, updated_at, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8, $9)`
	updateGroup = `UPDATE directory_groups SET display_name_key = $4, name_owner = $5, external_id = $6, name = $7, version = version + 1,
		updated_at = $8, document = $9 WHERE directory_id = $1 AND id = $2 AND version = $3`
	touchGroup   = `UPDATE directory_groups SET version = version + 1, updated_at = $4 WHERE directory_id = $1 AND id = $2 AND version = $3`
	touchGroupOf = `UPDATE directory_groups SET version = version + 1, updated_at = $3 WHERE directory_id = $1
		AND id IN (SELECT group_id FROM directory_group_members WHERE directory_id = $1 AND member_id = $2)`
	bumpGroup   = `UPDATE directory_groups SET version = version + 1, updated_at = $3 WHERE directory_id = $1 AND id = $2`
	deleteGroup = `DELETE FROM directory_groups WHERE directory_id = $1 AND id = $2 AND version = $3`
	nameFree    = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM directory_groups WHERE directory_id = $1 AND display_name_key = $2 AND id <> $3
		AND (name_owner = '' OR $4 = '' OR name_owner = $4))`

	groupBegins = `g.id IN (SELECT id FROM (SELECT id FROM directory_groups WHERE directory_id = $1 AND display_name_key >= %[1]s AND display_name_key < %[2]s
			ORDER BY display_name_key LIMIT %[4]s) AS n
		UNION ALL SELECT id FROM directory_groups WHERE directory_id = $1 AND external_id = %[3]s
		UNION ALL SELECT id FROM directory_groups WHERE directory_id = $1 AND id = %[3]s)`
	selectOtherMembers = `SELECT m.member_id, m.kind, g.name FROM directory_group_members m
		JOIN directory_groups g ON g.directory_id = m.directory_id AND g.id = m.member_id
		WHERE m.directory_id = $1 AND m.group_id = $2 AND m.kind = 'group'
		UNION ALL SELECT value, 'parked', display FROM directory_parked_members WHERE directory_id = $1 AND group_id = $2 ORDER BY 2, 1 LIMIT $3`

	memberColumns  = `member_id, kind, display`
	selectMembers  = `SELECT ` + memberColumns + ` FROM directory_group_members WHERE directory_id = $1 AND group_id = $2`
	selectParkedOf = `SELECT value, display FROM directory_parked_members WHERE directory_id = $1 AND group_id = $2`
	anyParkedOf    = `SELECT 1 FROM directory_parked_members WHERE directory_id = $1 AND group_id = $2 LIMIT 1`
	// Ids are padded by repeating the last one, so rows are counted, not values.
	// Versions only grow: an equal sum means that nobody has changed since.
	peopleUnmoved = `SELECT 1 FROM (SELECT COUNT(*) AS n, CAST(SUM(version) AS BIGINT) AS v FROM
		(SELECT version FROM directory_users WHERE directory_id = $1 AND id IN (%s)%s) AS u) AS s WHERE n = $%d AND v = $%d`
	userAsRead  = `SELECT 1 FROM directory_users WHERE directory_id = $1 AND id = $2 AND version = $3`
	nobodyNamed = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM directory_users WHERE directory_id = $1 AND user_name_key = $2)
		AND NOT EXISTS (SELECT 1 FROM directory_users WHERE directory_id = $1 AND external_id = $3)`
	selectIDs = `SELECT id, 'user' FROM directory_users WHERE directory_id = $1 AND id IN (%[1]s)
		UNION ALL SELECT id, 'group' FROM directory_groups WHERE directory_id = $1 AND id IN (%[1]s)`
	joinMember        = `INSERT INTO directory_group_members (directory_id, group_id, member_id, kind, display) VALUES ($1, $2, $3, $4, $5)`
	insertMember      = `INSERT INTO directory_group_members (directory_id, group_id, member_id, kind, display) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (directory_id, group_id, member_id) DO NOTHING`
	deleteMember      = `DELETE FROM directory_group_members WHERE directory_id = $1 AND group_id = $2 AND member_id = $3`
	deleteMembers     = `DELETE FROM directory_group_members WHERE directory_id = $1 AND group_id = $2`
	deleteMembership  = `DELETE FROM directory_group_members WHERE directory_id = $1 AND member_id = $2`
	insertParked      = `INSERT INTO directory_parked_members (directory_id, value_key, group_id, value, display) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (directory_id, value_key, group_id, value) DO NOTHING`
	deleteParkedOf    = `DELETE FROM directory_parked_members WHERE directory_id = $1 AND group_id = $2`
	selectNested      = `SELECT member_id, group_id FROM directory_group_members WHERE directory_id = $1 AND kind = 'group'`
	selectMembersOf   = `SELECT member_id, group_id FROM directory_group_members WHERE directory_id = $1 AND member_id >= $2 AND member_id <= $3`
	selectGroupNames  = `SELECT id, name FROM directory_groups WHERE directory_id = $1`
	selectGroupsOfOne = `SELECT ` + groupColumns + ` FROM directory_groups g JOIN directory_group_members m
		ON m.directory_id = g.directory_id AND m.group_id = g.id WHERE m.directory_id = $1 AND m.member_id = $2 ORDER BY g.id`

	insertPending = `INSERT INTO directory_tally_pending (directory_id, kind, resource_id, delta) VALUES ($1, $2, $3, $4)`
	takePending   = `DELETE FROM directory_tally_pending WHERE seq IN (SELECT seq FROM directory_tally_pending ORDER BY seq LIMIT 10000)
		RETURNING directory_id, kind, resource_id, delta`
	lockTally = `SELECT value FROM installation WHERE name = 'tally_lock'`
	// One statement, so that version and differences are of one moment.
	selectTally = `SELECT '', version FROM directory_tally_versions WHERE directory_id = $1 AND kind = $2
		UNION ALL SELECT resource_id, delta FROM directory_tally_pending WHERE directory_id = $1 AND kind = $2`
	upsertTally = `INSERT INTO directory_tally_versions (directory_id, kind, version) VALUES ($1, $2, 1)
		ON CONFLICT (directory_id, kind) DO UPDATE SET version = directory_tally_versions.version + 1`
	selectBlocks    = `SELECT first_id, n FROM directory_tally_blocks WHERE directory_id = $1 AND kind = $2 ORDER BY first_id`
	selectBlockOf   = `SELECT first_id, n FROM directory_tally_blocks WHERE directory_id = $1 AND kind = $2 AND first_id <= $3 ORDER BY first_id DESC LIMIT 1`
	selectBlockPast = `SELECT first_id FROM directory_tally_blocks WHERE directory_id = $1 AND kind = $2 AND first_id > $3 ORDER BY first_id LIMIT 1`
	upsertBlock     = `INSERT INTO directory_tally_blocks (directory_id, kind, first_id, n) VALUES ($1, $2, $3, $4)
		ON CONFLICT (directory_id, kind, first_id) DO UPDATE SET n = excluded.n`

	selectReceived  = `SELECT at FROM exchanges WHERE directory_id = $1 AND id = $2`
	exchangeColumns = `id, organization_id, directory_id, at, size, refused, token_id, method, path, status, micros, request_id, user_agent, effect, body, answer`
	insertExchange  = `INSERT INTO exchanges (` + exchangeColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`
	selectExchanges = `SELECT ` + exchangeColumns + ` FROM exchanges WHERE directory_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`
	// What was sent and answered is left out: a page of it is megabytes.
	exchangeHeads       = `id, organization_id, directory_id, at, size, refused, token_id, method, path, status, micros, request_id, user_agent, effect, NULL, NULL`
	selectExchangeHeads = `SELECT ` + exchangeHeads + ` FROM exchanges WHERE directory_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`
	selectRefusedHeads  = `SELECT ` + exchangeHeads + ` FROM exchanges WHERE directory_id = $1 AND id < $2 AND id >= $4 AND status >= 400 ORDER BY id DESC LIMIT $3`
	selectExchangeBack  = `SELECT id FROM exchanges WHERE directory_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3`
	selectExchange      = `SELECT ` + exchangeColumns + ` FROM exchanges WHERE directory_id = $1 AND id = $2`
	expireExchanges     = `DELETE FROM exchanges WHERE directory_id = $1 AND id IN (SELECT id FROM exchanges WHERE directory_id = $1 AND id < $2 ORDER BY id LIMIT 1000)`
	selectExchangeSizes = `SELECT id, size FROM exchanges WHERE directory_id = $1 AND id < $2 ORDER BY id DESC LIMIT 5000`
	trimRefused         = `DELETE FROM exchanges WHERE directory_id = $1 AND refused AND id NOT IN
		(SELECT id FROM exchanges WHERE directory_id = $1 AND refused ORDER BY id DESC LIMIT $2)`
	selectDirectoryIDs = `SELECT id FROM directories ORDER BY id`
)

// What is there, for snapshots: in the order of ids, from after one on.
const (
	presentDirectories = selectDirectory + ` AND organization_id = $1 ORDER BY id`
	presentUsers       = selectUsers + ` AND u.id > $2 ORDER BY u.id LIMIT $3`
	presentGroups      = selectGroups + ` AND g.id > $2 ORDER BY g.id LIMIT $3`
	// Both sides begin after the last one: a merge of the two would read the people from the beginning for each page.
	presentMembers = `SELECT ` + userColumns + `, NULL FROM directory_group_members m
		JOIN directory_users u ON u.directory_id = m.directory_id AND u.id = m.member_id
		WHERE m.directory_id = $1 AND m.group_id = $2 AND m.member_id > $3 AND u.directory_id = $1 AND u.id > $3 AND ` + knownActive + `
		ORDER BY m.member_id LIMIT $4`
)

// Erasures. What a removed directory left is kept for its old ids only; everything else names its directory.
const (
	directoriesOfOrganization = `SELECT id, deleted_at IS NOT NULL FROM directories WHERE organization_id = $1 ORDER BY id`
	selectExchangeTexts       = `SELECT id, path, effect, body, answer FROM exchanges WHERE directory_id = $1 AND id > $2 ORDER BY id LIMIT 200`
	rewriteExchange           = `UPDATE exchanges SET path = $3, effect = $4, size = $5, body = NULL, answer = NULL WHERE directory_id = $1 AND id = $2`
	deleteOldID               = `DELETE FROM directory_old_ids WHERE organization_id = $1 AND old_id = $2`
	deleteSomeOldIDs          = `DELETE FROM directory_old_ids WHERE organization_id = $1 AND old_id IN
		(SELECT old_id FROM directory_old_ids WHERE organization_id = $1 ORDER BY old_id LIMIT 1000)`
	deleteParkedValue = `DELETE FROM directory_parked_members WHERE directory_id = $1 AND value_key = $2`
	deleteLeftUser    = `DELETE FROM directory_users WHERE directory_id = $1 AND id = $2`
	selectLeftUsers   = `SELECT id FROM directory_users WHERE directory_id = $1 ORDER BY id LIMIT 500`
	selectLeftGroups  = `SELECT id FROM directory_groups WHERE directory_id = $1 ORDER BY id LIMIT 100`
	deleteLeftGroup   = `DELETE FROM directory_groups WHERE directory_id = $1 AND id = $2`
	deleteLeftParked  = `DELETE FROM directory_parked_members WHERE directory_id = $1`
	deleteLeftPending = `DELETE FROM directory_tally_pending WHERE directory_id = $1`
	deleteLeftBlocks  = `DELETE FROM directory_tally_blocks WHERE directory_id = $1`
	deleteLeftTallies = `DELETE FROM directory_tally_versions WHERE directory_id = $1`
)

// list gives n placeholders from $first on, with n rounded up to one of few sizes so that statements stay prepared; the
// caller repeats its last value in the rest (see padded).
func list(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// chunk is the largest number of values one IN takes.
const chunk = 512

// sizes are the numbers of placeholders that statements are made for.
var sizes = [...]int{1, 4, 16, 64, chunk}

// padded repeats the last value until one of the sizes is reached.
func padded(values []string) []any {
	size := chunk
	for _, s := range sizes {
		if len(values) <= s {
			size = s
			break
		}
	}
	out := make([]any, size)
	for i := range out {
		out[i] = values[min(i, len(values)-1)]
	}
	return out
}

// Backups.
const (
	// The epoch of a restored database is later than any that counting can have reached in whatever a running process remembers.
	restoreEpoch = `UPDATE installation SET value = CASE WHEN CAST(value AS BIGINT) < $1 THEN CAST(CAST($1 AS BIGINT) AS TEXT)
		ELSE CAST(CAST(value AS BIGINT) + 1 AS TEXT) END WHERE name = 'door_epoch'`
	seededRows = `name IN ('door_epoch', 'tally_lock')`
)
