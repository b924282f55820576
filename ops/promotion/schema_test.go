package promotion

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/release/migration"
	"github.com/progressive-framework/platform/release/record"
)

const (
	createsTable = "-- +goose Up\nCREATE TABLE users (id TEXT);\n"
	addsColumn   = "-- +goose Up\nALTER TABLE users ADD COLUMN email TEXT;\n"
	dropsColumn  = "-- +goose Up\nALTER TABLE users DROP COLUMN email;\n"
)

// commitMigration commits a new schema migration.
func (p *testProject) commitMigration(name, text string) {
	p.t.Helper()
	p.write(migration.Folder+"/"+name, text)
	p.commit(name)
}

// newSchemaHistory returns a project and its four commits. They create a table, add a column, drop
// the column, and edit the first migration.
func newSchemaHistory(t *testing.T) (p *testProject, table, adds, drops, edited string) {
	t.Helper()
	p = &testProject{t: t, dir: t.TempDir()}
	p.newRepository()
	for _, c := range []struct {
		into       *string
		name, text string
	}{
		{&table, "00001_users.sql", createsTable}, {&adds, "00002_email.sql", addsColumn}, {&drops, "00003_email.sql", dropsColumn}, {&edited, "00001_users.sql", addsColumn},
	} {
		p.commitMigration(c.name, c.text)
		*c.into = p.git("rev-parse", "HEAD")
	}
	return p, table, adds, drops, edited
}

// writeApproval writes an approval of op for a migration. The approval ends in days days. With a
// negative number it has already ended.
func (p *testProject) writeApproval(op, step string, days int) {
	p.t.Helper()
	until := time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly)
	p.write(approvalsFile, "approvals:\n- {stack: prod, resource: "+step+", op: "+op+", reason: r, owner: me, until: \""+until+"\"}\n")
}

func TestMigrationsMustOnlyAddOrBeApproved(t *testing.T) {
	p, table, adds, drops, edited := newSchemaHistory(t)
	for _, c := range []struct {
		why, before, after string
		recorded           string // the default is after
		prepare            func()
		want               string // empty if the migrations pass
	}{
		{"a migration that adds", table, adds, "", nil, ""},
		{"all migrations, for an empty database", "", adds, "", nil, ""},
		{"a migration that removes", adds, drops, "", nil, "00003_email.sql: ALTER TABLE USERS DROP COLUMN EMAIL: it removes what an older program may use (nobody has approved it)"},
		{"an approved migration that removes", adds, drops, "", func() { p.writeApproval("migrate", "00003_email.sql", 3) }, ""},
		{"an expired approval", adds, drops, "", func() { p.writeApproval("migrate", "00003_email.sql", -2) }, "the approval of me ended on"},
		{"an approval of another operation", adds, drops, "", func() { p.writeApproval("rollback", "00003_email.sql", 3) }, "nobody has approved it"},
		{"an earlier migration was edited", drops, edited, "", nil, "00001_users.sql: changed or gone"},
		{"a commit that git does not have", strings.Repeat("0", 40), adds, "", nil, "git fetch --unshallow"},
		{"the record's commit has a further step", table, adds, drops, nil, "differ from its own: promote at the commit that the stack runs"},
		{"the record's commit has the same steps", table, adds, adds, nil, ""},
		{"git does not have the record's commit", table, adds, strings.Repeat("0", 40), nil, "git fetch --unshallow"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p.write(approvalsFile, "approvals: []\n")
			if c.prepare != nil {
				c.prepare()
			}
			p.git("add", "--all")
			p.git("commit", "--quiet", "--allow-empty", "--message", "approvals")
			checker, err := newMigrationChecker(t.Context(), project{p.dir}, "prod", approvalsFile, time.Now())
			require.NoError(t, err)
			summary, err := checker.checkAdditions(t.Context(), c.before, c.after, cmp.Or(c.recorded, c.after))
			if c.want == "" {
				require.NoError(t, err)
				require.Contains(t, summary, " steps since ")
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
	p.writeApproval("migrate", "00003_email.sql", 3)
	_, err := newMigrationChecker(t.Context(), project{p.dir}, "prod", approvalsFile, time.Now())
	require.ErrorContains(t, err, "changes that are not committed", "nobody has reviewed the approval")
	p.write(".gitignore", "/out/\n")
	p.write("out/approvals.yaml", p.read(approvalsFile))
	_, err = newMigrationChecker(t.Context(), project{p.dir}, "prod", "out/approvals.yaml", time.Now())
	require.ErrorContains(t, err, "changes that are not committed", "git does not show ignored files")
	p.write(approvalsFile, "approval: []\n")
	p.commit("a misspelled key")
	_, err = newMigrationChecker(t.Context(), project{p.dir}, "prod", approvalsFile, time.Now())
	require.Error(t, err, "a misspelled key approvals is an error")
}

func TestRollbackRefusesASchemaThatIsAhead(t *testing.T) {
	p, table, adds, drops, _ := newSchemaHistory(t)
	for _, c := range []struct {
		why     string
		commits []string // of the releases, the newest first
		to      string
		prepare func()
		accept  bool   // --accept-additive
		want    string // empty if the rollback succeeds
	}{
		{"both releases have the same migrations", []string{table, table}, table, nil, false, ""},
		{"forward to the newest release", []string{table, adds}, adds, nil, false, ""},
		{"ahead by a migration that adds", []string{adds, table}, table, nil, false, "00002_email.sql only adds: use --accept-additive"},
		{"ahead by a migration that adds and is accepted", []string{adds, table}, table, nil, true, ""},
		{"ahead by a migration that removes", []string{drops, adds}, adds, nil, true, "it removes what an older program may use (nobody has approved it)"},
		{"ahead by an approved migration", []string{drops, adds}, adds, func() { p.writeApproval("rollback", "00003_email.sql", 1) }, false, ""},
		{"ahead by a migration whose approval ended", []string{drops, adds}, adds, func() { p.writeApproval("rollback", "00003_email.sql", -9) }, false, "the approval of me ended on"},
		{"the refusal names the fix", []string{drops, adds}, adds, nil, true, "approve it in .ci/approvals.yaml with op: rollback"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p.write(approvalsFile, "approvals: []\n")
			if c.prepare != nil {
				c.prepare()
			}
			p.git("add", "--all")
			p.git("commit", "--quiet", "--allow-empty", "--message", "approvals")
			checker, err := newMigrationChecker(t.Context(), project{p.dir}, "prod", approvalsFile, time.Now())
			require.NoError(t, err)
			releases := []release{{"before any promotion", nil}}
			for _, commit := range c.commits {
				releases = append(releases, release{"", &record.Record{Commit: commit}})
			}
			_, err = checker.checkRollback(t.Context(), releases, c.to, c.accept)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "the schema is ahead of release "+c.to[:12])
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A rollback does not change the schema: the database keeps the migrations of every release that ran.
// So a second rollback must check all these migrations, and not only those of the current release.
func TestSecondRollbackChecksTheMigrationsOfEveryRelease(t *testing.T) {
	p := newTestProject(t)
	p.commitMigration("00001_users.sql", createsTable)
	p.promoteAndMerge()
	first := p.readRelease("prod")
	p.buildImages(signed)
	p.promoteAndMerge()
	p.commitMigration("00002_email.sql", addsColumn)
	p.buildImages(signed)
	p.promoteAndMerge()
	out, code := p.run("rollback", "--stack", "prod", "--commit", "--accept-additive")
	require.Zero(t, code, out)
	out, code = p.run("rollback", "--stack", "prod", "--to", first.Commit[:12])
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "00002_email.sql only adds")
}
