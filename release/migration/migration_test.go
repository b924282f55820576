package migration

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFaultsFindsStatementsThatMayBreakOlderPrograms(t *testing.T) {
	for _, tc := range []struct {
		reason, sql, want string
	}{
		{"a table", `CREATE TABLE a (id TEXT PRIMARY KEY, b TEXT NOT NULL UNIQUE)`, ""},
		{"an index", `CREATE INDEX CONCURRENTLY i ON users (a)`, ""},
		{"an index that is dropped before it is built", `DROP INDEX CONCURRENTLY IF EXISTS i; CREATE INDEX CONCURRENTLY i ON users (a)`, ""},
		{"an index of an earlier step is dropped", `DROP INDEX i`, "removes"},
		{"a unique index of an older table", `CREATE UNIQUE INDEX i ON users (email)`, "write a value twice"},
		{"a unique index of a new table", `CREATE TABLE a (b TEXT); CREATE UNIQUE INDEX i ON a (b)`, ""},
		{"a column", `ALTER TABLE users ADD COLUMN a TEXT, ADD COLUMN IF NOT EXISTS b NUMERIC(4, 2) NOT NULL DEFAULT 0`, ""},
		{"a column that older programs do not write", `ALTER TABLE users ADD COLUMN a TEXT NOT NULL`, "does not write the new column"},
		{"DEFAULT inside a string is not a default value", `ALTER TABLE users ADD COLUMN a TEXT NOT NULL CHECK (a <> 'DEFAULT')`, "does not write the new column"},
		{"a unique column", `ALTER TABLE users ADD COLUMN a TEXT UNIQUE`, "write a value twice"},
		{"a column is added and another one dropped", `ALTER TABLE users ADD COLUMN a TEXT, DROP COLUMN email`, "removes"},
		{"a column of a new table", `CREATE TABLE a (b TEXT); ALTER TABLE a ALTER COLUMN b SET NOT NULL`, ""},
		{"a constraint for existing rows", `ALTER TABLE users ADD CONSTRAINT c CHECK (active)`, "known to add only"},
		{"another type of a column", `ALTER TABLE users ALTER COLUMN email TYPE VARCHAR(10)`, "known to add only"},
		{"another name of a column", `ALTER TABLE users RENAME COLUMN email TO mail`, "old name"},
		{"a table is dropped", `drop table users`, "removes"},
		{"rows are deleted", `DELETE FROM users`, "removes"},
		{"rows are changed", `UPDATE users SET active = false`, "changes rows"},
		{"rows of a new table", `CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('x')`, ""},
		{"rows of an older table", `INSERT INTO users VALUES ('x')`, "known to add only"},
		{"a function is replaced", `CREATE OR REPLACE FUNCTION f() RETURNS VOID AS $$ BEGIN END $$ LANGUAGE plpgsql`, "may call"},
		{"a trigger", `CREATE TRIGGER t BEFORE INSERT ON users EXECUTE FUNCTION f()`, "known to add only"},
		{"a drop in a comment and in a text", "-- DROP TABLE users;\n/* DROP TABLE users; */ COMMENT ON TABLE users IS 'DROP TABLE users;'", ""},
		{"a drop in the body of a new function", `CREATE FUNCTION f() RETURNS VOID AS $body$ DROP TABLE users; $body$ LANGUAGE sql`, ""},
		{"a code block", `DO $$ BEGIN DROP TABLE users; END $$`, "known to add only"},
		{"a name in quotes", `ALTER TABLE "Users" DROP COLUMN a`, "removes"},
		{"a drop in a text whose quote does not end", `COMMENT ON TABLE users IS 'x; DROP TABLE users`, ""},
		{"a drop after an escaped quote", `COMMENT ON TABLE users IS E'\''; DROP TABLE users; --'`, "removes"},
		{"a drop after a name with dollar signs", `CREATE TABLE a$$ (b TEXT); DROP TABLE users; CREATE TABLE b$$ (b TEXT)`, "removes"},
		{"a drop after a comment in a comment", `/* /* */ ' */ DROP TABLE users; --'`, "removes"},
		{"a drop after a comment that a carriage return ends", "-- x\rDROP TABLE users", "removes"},
		{"no statement", ``, "no statement"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			found := FindUnsafe(Steps{"00005_x.sql": "-- +goose Up\n" + tc.sql + ";\n-- +goose Down\nDROP TABLE users;"})
			if tc.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Contains(t, found[0].String(), "00005_x.sql: ")
			require.Contains(t, found[0].Why, tc.want)
		})
	}
}

func TestChangedOrMissingStepIsAnError(t *testing.T) {
	before := Steps{"1.sql": "a", "2.sql": "b"}
	added, err := Added(before, Steps{"1.sql": "a", "2.sql": "b", "3.sql": "c"})
	require.NoError(t, err)
	require.Equal(t, Steps{"3.sql": "c"}, added)
	require.Equal(t, "2.sql", before.Newest())
	require.Empty(t, Steps{}.Newest())
	for reason, after := range map[string]Steps{"changed": {"1.sql": "a", "2.sql": "c"}, "gone": {"1.sql": "a"}} {
		_, err := Added(before, after)
		require.ErrorContains(t, err, "2.sql: changed or gone", reason)
	}
}

// Every statement of the project's steps is safe. The first step begins with an empty database, so no
// older program uses the tables that the steps create.
func TestStepsOfTheProjectAreSafe(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("../..", Folder, "*.sql"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	steps := Steps{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		steps[filepath.Base(file)] = string(text)
	}
	require.Empty(t, FindUnsafe(steps))
}

// FindUnsafe does not panic, whatever text a step has.
func FuzzFindUnsafe(f *testing.F) {
	f.Add("CREATE TABLE a (b TEXT); $x$")
	f.Add(`'";$`)
	f.Fuzz(func(_ *testing.T, text string) { _ = FindUnsafe(Steps{"1.sql": "-- +goose Up\n" + text}) })
}
