package access

const (
	roleColumns = `id, organization_id, slug, name, description, permissions, priority, is_admin, created_at, updated_at`
	insertRole  = `INSERT INTO roles (` + roleColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	// Of several processes that start at once one makes it.
	insertMemberRole = insertRole + ` ON CONFLICT (organization_id, slug) DO NOTHING`
	// '' is the installation's own: every organization has them.
	selectRoles    = `SELECT ` + roleColumns + ` FROM roles WHERE organization_id IN ('', $1)`
	selectOwnRole  = `SELECT ` + roleColumns + ` FROM roles WHERE organization_id = $1 AND slug = $2`
	selectRoleSlug = `SELECT organization_id FROM roles WHERE slug = $1`
	selectBottom   = `SELECT COALESCE(MAX(priority), 0) FROM roles WHERE organization_id IN ('', $1) OR $1 = ''`
	selectPermit   = `SELECT ` + roleColumns + ` FROM roles WHERE permissions LIKE $1`
	updateRole     = `UPDATE roles SET name = $3, description = $4, permissions = $5, priority = $6, is_admin = $7, updated_at = $8 WHERE organization_id = $1 AND id = $2`
	deleteRole     = `DELETE FROM roles WHERE organization_id = $1 AND id = $2`
	lockRole       = `SELECT id FROM roles WHERE organization_id IN ('', $1) AND slug = $2`
	deleteRoles    = `DELETE FROM roles WHERE organization_id = $1`

	permissionColumns = `id, slug, name, description, is_system, created_at, updated_at`
	insertPermission  = `INSERT INTO permissions (` + permissionColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	selectPermissions = `SELECT ` + permissionColumns + ` FROM permissions WHERE TRUE`
	selectPermission  = `SELECT ` + permissionColumns + ` FROM permissions WHERE slug = $1`
	updatePermission  = `UPDATE permissions SET name = $2, description = $3, updated_at = $4 WHERE id = $1`
	deletePermission  = `DELETE FROM permissions WHERE id = $1`

	teamColumns    = `id, organization_id, name, description, directory_id, directory_group_id, created_at, updated_at`
	insertTeam     = `INSERT INTO teams (` + teamColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectTeams    = `SELECT ` + teamColumns + ` FROM teams WHERE organization_id = $1`
	selectTeam     = selectTeams + ` AND id = $2`
	selectFollow   = selectTeams + ` AND directory_id = $2 AND directory_group_id = $3`
	selectFollowed = `SELECT directory_group_id, id FROM teams WHERE organization_id = $1 AND directory_id = $2 AND directory_group_id IS NOT NULL`
	updateTeam     = `UPDATE teams SET name = $3, description = $4, directory_id = $5, directory_group_id = $6, updated_at = $7 WHERE organization_id = $1 AND id = $2`
	lockTeam       = `SELECT id FROM teams WHERE organization_id = $1 AND id = $2`
	deleteTeam     = `DELETE FROM teams WHERE organization_id = $1 AND id = $2`
	deleteTeams    = `DELETE FROM teams WHERE organization_id = $1`
	refollow       = `UPDATE teams SET directory_id = $4, directory_group_id = $5, updated_at = $6 WHERE organization_id = $1 AND directory_id = $2 AND directory_group_id = $3`
	unfollow       = `UPDATE teams SET directory_id = NULL, directory_group_id = NULL, updated_at = $3 WHERE organization_id = $1 AND directory_id = $2`

	insertTeamMember = `INSERT INTO team_members (organization_id, team_id, membership_id, put_by, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organization_id, team_id, membership_id) DO NOTHING`
	deleteTeamMember = `DELETE FROM team_members WHERE organization_id = $1 AND team_id = $2 AND membership_id = $3`
	selectTeamsOf    = `SELECT team_id, put_by FROM team_members WHERE organization_id = $1 AND membership_id = $2 ORDER BY team_id`
	selectTeamsWith  = selectTeams + ` AND id IN (SELECT team_id FROM team_members WHERE organization_id = $1 AND membership_id = $2) ORDER BY name, id`
	selectPlace      = `SELECT put_by FROM team_members WHERE organization_id = $1 AND team_id = $2 AND membership_id = $3`
	clearTeam        = `DELETE FROM team_members WHERE organization_id = $1 AND team_id = $2`
	clearTeams       = `DELETE FROM team_members WHERE organization_id = $1`
	clearMember      = `DELETE FROM team_members WHERE organization_id = $1 AND membership_id = $2`
	// What a mapping put stays where the directory is gone; a hand may take it from then on.
	keepTeamMembers = `UPDATE team_members SET put_by = 'hand' WHERE organization_id = $1 AND put_by = 'mapping'
		AND team_id IN (SELECT id FROM teams WHERE organization_id = $1 AND directory_id = $2)`

	// The same of teams that follow no group, into which its rules put people. What another directory that is there gives too stays a mapping's,
	// and what a connection gave at the last sign-in is the connection's from then on.
	keepPlaces = `UPDATE team_members SET put_by = CASE WHEN EXISTS (` + connectionOfPlace + `) THEN 'connection' ELSE 'hand' END
		WHERE organization_id = $1 AND put_by = 'mapping' AND team_id IN (SELECT id FROM teams WHERE organization_id = $1 AND directory_id IS NULL)
		AND membership_id IN (SELECT membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND membership_id IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM membership_claims o WHERE o.organization_id = $1 AND o.membership_id = team_members.membership_id
			AND o.directory_id <> $2 AND o.frozen_at IS NULL AND o.claim LIKE '%"' || team_members.team_id || '"%')`
	connectionOfPlace = `SELECT k.id FROM organization_memberships m
		JOIN connections k ON k.organization_id = m.organization_id AND k.deleted_at IS NULL AND m.asserted LIKE '%"' || k.id || '"%'
		WHERE m.organization_id = $1 AND m.id = team_members.membership_id AND m.asserted LIKE '%"' || team_members.team_id || '"%'`

	// As above, but for those whom another directory goes on speaking of.
	keepOfOthers = keepTeamMembers + ` AND membership_id NOT IN (SELECT membership_id FROM membership_claims
		WHERE organization_id = $1 AND directory_id = $3 AND membership_id IS NOT NULL)`

	licenceColumns = `id, organization_id, slug, name, seats, over_limit, created_at, updated_at`
	insertLicence  = `INSERT INTO licence_types (` + licenceColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectLicences = `SELECT ` + licenceColumns + ` FROM licence_types WHERE organization_id = $1`
	selectLicence  = selectLicences + ` AND slug = $2`
	updateLicence  = `UPDATE licence_types SET name = $3, seats = $4, over_limit = $5, updated_at = $6 WHERE organization_id = $1 AND slug = $2`
	deleteLicence  = `DELETE FROM licence_types WHERE organization_id = $1 AND slug = $2`
	deleteLicences = `DELETE FROM licence_types WHERE organization_id = $1`
	// Who takes a seat holds the type first, then counts: a statement of its own sees who took one while this waited.
	lockLicence = `SELECT id FROM licence_types WHERE organization_id = $1 AND slug = $2`
	seatIsFree  = `SELECT id FROM licence_types WHERE organization_id = $1 AND slug = $2
		AND (seats IS NULL OR seats > (SELECT COUNT(*) FROM organization_memberships WHERE organization_id = $1 AND licence = $2))`

	mappingColumns = `organization_id, source_id, drives_roles, drives_teams, drives_licences, teams_follow, rules, version, created_at, updated_at`
	selectMapping  = `SELECT ` + mappingColumns + ` FROM mappings WHERE organization_id = $1 AND source_id = $2`
	selectMappings = `SELECT ` + mappingColumns + ` FROM mappings WHERE organization_id = $1`
	selectEvery    = `SELECT ` + mappingColumns + ` FROM mappings`
	insertMapping  = `INSERT INTO mappings (` + mappingColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (organization_id, source_id) DO NOTHING`
	updateMapping  = `UPDATE mappings SET drives_roles = $4, drives_teams = $5, drives_licences = $6, teams_follow = $7, rules = $8, version = version + 1, updated_at = $9
		WHERE organization_id = $1 AND source_id = $2 AND version = $3`
	deleteMapping  = `DELETE FROM mappings WHERE organization_id = $1 AND source_id = $2`
	deleteMappings = `DELETE FROM mappings WHERE organization_id = $1`
)

// Who holds what, and how a directory is called. These rows are other rooms', and only those write them.
const (
	selectDirectoryName = `SELECT name FROM directories WHERE organization_id = $1 AND id = $2`
	// Whose word a place is that a mapping gave: of a directory that is there, in or out, and of the connection of the last sign-in. $3 is the team's id
	// as it stands in JSON.
	selectPlacedBy = `SELECT 'directory', c.directory_id, COALESCE(d.name, '') FROM membership_claims c
			LEFT JOIN directories d ON d.organization_id = c.organization_id AND d.id = c.directory_id
			WHERE c.organization_id = $1 AND c.membership_id = $2 AND c.frozen_at IS NULL AND c.claim LIKE $3
		UNION ALL SELECT 'connection', COALESCE(k.id, ''), COALESCE(k.name, '') FROM organization_memberships m
			LEFT JOIN connections k ON k.organization_id = m.organization_id AND m.asserted LIKE '%"' || k.id || '"%'
			WHERE m.organization_id = $1 AND m.id = $2 AND m.asserted LIKE $3 AND k.deleted_at IS NULL ORDER BY 1 DESC, 2 LIMIT 1`
	selectGiven = `SELECT c.directory_user_id, m.id, m.given_role, m.given_licence
		FROM membership_claims c JOIN organization_memberships m ON m.organization_id = c.organization_id AND m.id = c.membership_id
		WHERE c.organization_id = $1 AND c.directory_id = $2 AND c.directory_user_id IN (%s) AND m.state <> 'removed'`
	countRoleHolders    = `SELECT COUNT(*) FROM organization_memberships WHERE (organization_id = $1 OR $1 = '') AND (role = $2 OR given_role = $2) AND state <> 'removed'`
	countLicenceHolders = `SELECT COUNT(*) FROM organization_memberships WHERE organization_id = $1 AND licence = $2`
	countLicences       = `SELECT licence, COUNT(*) FROM organization_memberships WHERE organization_id = $1 AND licence IS NOT NULL GROUP BY licence`
	lockMembership      = `SELECT id FROM organization_memberships WHERE organization_id = $1 AND id = $2 AND state <> 'removed'`
)
