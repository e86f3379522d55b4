package mirror

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// The tables have no foreign keys: what belongs together is deleted together by apply, and an app that reads events too may be
// ahead of or behind the mirror.
const schema = `
CREATE SCHEMA IF NOT EXISTS {{schema}};

CREATE TABLE IF NOT EXISTS {{schema}}.mirror (
	consumer        text PRIMARY KEY,
	organization_id text NOT NULL, -- '': all
	cursor          text NOT NULL, -- id of the last event applied; '': none yet
	applied_at      timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS {{schema}}.organizations (
	id          text PRIMARY KEY,
	name        text NOT NULL,
	external_id text,
	metadata    jsonb NOT NULL,
	created_at  timestamptz NOT NULL,
	updated_at  timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS {{schema}}.directories (
	id              text PRIMARY KEY,
	organization_id text NOT NULL,
	name            text NOT NULL,
	type            text NOT NULL,
	created_at      timestamptz NOT NULL,
	updated_at      timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS directories_organization ON {{schema}}.directories (organization_id);

CREATE TABLE IF NOT EXISTS {{schema}}.users (
	id                text PRIMARY KEY,
	directory_id      text NOT NULL,
	organization_id   text NOT NULL,
	idp_id            text NOT NULL,
	state             text NOT NULL, -- active, suspended or inactive
	email             text,
	first_name        text,
	last_name         text,
	name              text,
	username          text,
	job_title         text,
	custom_attributes jsonb NOT NULL,
	raw_attributes    jsonb NOT NULL,
	created_at        timestamptz NOT NULL,
	updated_at        timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS users_directory ON {{schema}}.users (directory_id);
CREATE INDEX IF NOT EXISTS users_organization ON {{schema}}.users (organization_id);
CREATE INDEX IF NOT EXISTS users_email ON {{schema}}.users (lower(email));

CREATE TABLE IF NOT EXISTS {{schema}}.groups (
	id              text PRIMARY KEY,
	directory_id    text NOT NULL,
	organization_id text NOT NULL,
	idp_id          text NOT NULL,
	name            text NOT NULL,
	raw_attributes  jsonb NOT NULL,
	created_at      timestamptz NOT NULL,
	updated_at      timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS groups_directory ON {{schema}}.groups (directory_id);
CREATE INDEX IF NOT EXISTS groups_organization ON {{schema}}.groups (organization_id);

CREATE TABLE IF NOT EXISTS {{schema}}.memberships (
	group_id        text NOT NULL,
	user_id         text NOT NULL,
	directory_id    text NOT NULL,
	organization_id text NOT NULL,
	PRIMARY KEY (group_id, user_id)
);
CREATE INDEX IF NOT EXISTS memberships_user ON {{schema}}.memberships (user_id);
CREATE INDEX IF NOT EXISTS memberships_directory ON {{schema}}.memberships (directory_id);
CREATE INDEX IF NOT EXISTS memberships_organization ON {{schema}}.memberships (organization_id)`

const (
	clearAll = `DELETE FROM {{schema}}.memberships; DELETE FROM {{schema}}.groups; DELETE FROM {{schema}}.users;
		DELETE FROM {{schema}}.directories; DELETE FROM {{schema}}.organizations; DELETE FROM {{schema}}.mirror`

	readMirrors = `SELECT consumer, organization_id, cursor FROM {{schema}}.mirror FOR UPDATE`
	addMirror   = `INSERT INTO {{schema}}.mirror (consumer, organization_id, cursor, applied_at) VALUES ($1, $2, $3, now())`
	moveMirror  = `UPDATE {{schema}}.mirror SET cursor = $3, applied_at = now() WHERE consumer = $1 AND cursor = $2`

	// lockSchema: one process makes the tables at a time, and one mirrors. The key is the schema's name.
	lockSchema = `SELECT pg_advisory_xact_lock(hashtextextended('rollcall mirror ' || $1, 0))`
	lockMirror = `SELECT pg_try_advisory_lock(hashtextextended('rollcall mirroring ' || $1, 0))`

	putOrganization = `INSERT INTO {{schema}}.organizations (id, name, external_id, metadata, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET name = excluded.name, external_id = excluded.external_id,
		metadata = excluded.metadata, created_at = excluded.created_at, updated_at = excluded.updated_at`

	putDirectory = `INSERT INTO {{schema}}.directories (id, organization_id, name, type, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET organization_id = excluded.organization_id, name = excluded.name,
		type = excluded.type, created_at = excluded.created_at, updated_at = excluded.updated_at`

	putUser = `INSERT INTO {{schema}}.users (id, directory_id, organization_id, idp_id, state, email, first_name, last_name, name, username,
		job_title, custom_attributes, raw_attributes, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (id) DO UPDATE SET directory_id = excluded.directory_id, organization_id = excluded.organization_id,
		idp_id = excluded.idp_id, state = excluded.state, email = excluded.email, first_name = excluded.first_name,
		last_name = excluded.last_name, name = excluded.name, username = excluded.username, job_title = excluded.job_title,
		custom_attributes = excluded.custom_attributes, raw_attributes = excluded.raw_attributes, created_at = excluded.created_at,
		updated_at = excluded.updated_at`

	putGroup = `INSERT INTO {{schema}}.groups (id, directory_id, organization_id, idp_id, name, raw_attributes, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET directory_id = excluded.directory_id,
		organization_id = excluded.organization_id, idp_id = excluded.idp_id, name = excluded.name, raw_attributes = excluded.raw_attributes,
		created_at = excluded.created_at, updated_at = excluded.updated_at`

	putMembership = `INSERT INTO {{schema}}.memberships (group_id, user_id, directory_id, organization_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (group_id, user_id) DO NOTHING`

	dropMembership = `DELETE FROM {{schema}}.memberships WHERE group_id = $1 AND user_id = $2`
)

// What goes with a thing that goes.
var (
	dropUser  = []string{`DELETE FROM {{schema}}.memberships WHERE user_id = $1`, `DELETE FROM {{schema}}.users WHERE id = $1`}
	dropGroup = []string{`DELETE FROM {{schema}}.memberships WHERE group_id = $1`, `DELETE FROM {{schema}}.groups WHERE id = $1`}

	dropDirectory = []string{
		`DELETE FROM {{schema}}.memberships WHERE directory_id = $1`, `DELETE FROM {{schema}}.groups WHERE directory_id = $1`,
		`DELETE FROM {{schema}}.users WHERE directory_id = $1`, `DELETE FROM {{schema}}.directories WHERE id = $1`,
	}
	dropOrganization = []string{
		`DELETE FROM {{schema}}.memberships WHERE organization_id = $1`, `DELETE FROM {{schema}}.groups WHERE organization_id = $1`,
		`DELETE FROM {{schema}}.users WHERE organization_id = $1`, `DELETE FROM {{schema}}.directories WHERE organization_id = $1`,
		`DELETE FROM {{schema}}.organizations WHERE id = $1`,
	}
)

// in puts the schema's name into a statement. Sanitize quotes it, so that no name can be more than a name.
func (t tables) in(statement string) string {
	return strings.ReplaceAll(statement, "{{schema}}", pgx.Identifier{string(t)}.Sanitize())
}

// tables is the name of the schema that holds them.
type tables string
