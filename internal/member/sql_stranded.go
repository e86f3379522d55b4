package member

// Who could not come in without an identity provider. Whom a brake holds is out already.
const (
	countStranded    = `SELECT COUNT(*)` + fromMembers + ` WHERE m.organization_id = $1 AND `
	strandedUnproven = `m.state = 'active' AND NOT u.email_verified`
	strandedUnmailed = `m.state IN ('active', 'pending')`
)
