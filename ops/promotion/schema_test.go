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
	firstStep = "-- +goose Up\nCREATE TABLE users (id TEXT);\n"
	addsStep  = "-- +goose Up\nALTER TABLE users ADD COLUMN email TEXT;\n"
	dropsStep = "-- +goose Up\nALTER TABLE users DROP COLUMN email;\n"
)

// step commits a new step of the schema.
func (p *testProject) step(name, text string) {
	p.t.Helper()
	p.write(migration.Folder+"/"+name, text)
	p.commit(name)
}

// newSchemaHistory is a project with four commits: create a table, add a column, drop the column,
// and edit the first step.
func newSchemaHistory(t *testing.T) (p *testProject, table, adds, drops, edited string) {
	t.Helper()
	p = &testProject{t: t, dir: t.TempDir()}
	p.newRepository()
	for _, c := range []struct {
		into       *string
		name, text string
	}{
		{&table, "00001_users.sql", firstStep}, {&adds, "00002_email.sql", addsStep}, {&drops, "00003_email.sql", dropsStep}, {&edited, "00001_users.sql", addsStep},
	} {
		p.step(c.name, c.text)
		*c.into = p.git("rev-parse", "HEAD")
	}
	return p, table, adds, drops, edited
}

// permit writes an approval that is valid for some days.
func (p *testProject) permit(op, step string, days int) {
	p.t.Helper()
	until := time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly)
	p.write(approvalsFile, "approvals:\n- {stack: prod, resource: "+step+", op: "+op+", reason: r, owner: me, until: \""+until+"\"}\n")
}

func TestMigrationsAddOrAreApproved(t *testing.T) {
	p, table, adds, drops, edited := newSchemaHistory(t)
	for _, c := range []struct {
		why, before, after string
		recorded           string // the default is after
		permit             func()
		want               string // empty if the steps pass
	}{
		{"a step that adds", table, adds, "", nil, ""},
		{"all steps, onto an empty database", "", adds, "", nil, ""},
		{"a step that removes", adds, drops, "", nil, "00003_email.sql: ALTER TABLE USERS DROP COLUMN EMAIL: it removes what an older program may use (nobody has approved it)"},
		{"an approved step", adds, drops, "", func() { p.permit("migrate", "00003_email.sql", 3) }, ""},
		{"an expired approval", adds, drops, "", func() { p.permit("migrate", "00003_email.sql", -2) }, "the approval of me ended on"},
		{"an approval of another operation", adds, drops, "", func() { p.permit("rollback", "00003_email.sql", 3) }, "nobody has approved it"},
		{"a step that was changed", drops, edited, "", nil, "00001_users.sql: changed or gone"},
		{"a commit that git does not have", strings.Repeat("0", 40), adds, "", nil, "git fetch --unshallow"},
		{"the record's commit has a further step", table, adds, drops, nil, "differ from its own: promote at the commit that the stack runs"},
		{"the record's commit has the same steps", table, adds, adds, nil, ""},
		{"git does not have the record's commit", table, adds, strings.Repeat("0", 40), nil, "git fetch --unshallow"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p.write(approvalsFile, "approvals: []\n")
			if c.permit != nil {
				c.permit()
			}
			database, err := newSchema(project{p.dir}, "prod", approvalsFile, time.Now())
			require.NoError(t, err)
			summary, err := database.add(t.Context(), c.before, c.after, cmp.Or(c.recorded, c.after))
			if c.want == "" {
				require.NoError(t, err)
				require.Contains(t, summary, " steps since ")
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
	p.write(approvalsFile, "approval: []\n")
	_, err := newSchema(project{p.dir}, "prod", approvalsFile, time.Now())
	require.Error(t, err, "a misspelled file is no approval")
}

func TestRollbackRefusesASchemaThatIsAhead(t *testing.T) {
	p, table, adds, drops, _ := newSchemaHistory(t)
	for _, c := range []struct {
		why    string
		had    []string // the commits of the releases
		to     string
		permit func()
		accept bool
		want   string // empty if the rollback succeeds
	}{
		{"the same steps", []string{table, table}, table, nil, false, ""},
		{"a newer release again", []string{table, adds}, adds, nil, false, ""},
		{"ahead by a step that adds", []string{adds, table}, table, nil, false, "00002_email.sql only adds: use --accept-additive"},
		{"ahead by a step that adds and is accepted", []string{adds, table}, table, nil, true, ""},
		{"ahead by a step that removes", []string{drops, adds}, adds, nil, true, "it removes what an older program may use (nobody has approved it)"},
		{"ahead by an approved step", []string{drops, adds}, adds, func() { p.permit("rollback", "00003_email.sql", 1) }, false, ""},
		{"ahead by a step whose approval ended", []string{drops, adds}, adds, func() { p.permit("rollback", "00003_email.sql", -9) }, false, "the approval of me ended on"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p.write(approvalsFile, "approvals: []\n")
			if c.permit != nil {
				c.permit()
			}
			database, err := newSchema(project{p.dir}, "prod", approvalsFile, time.Now())
			require.NoError(t, err)
			releases := []release{{"before any promotion", nil}}
			for _, commit := range c.had {
				releases = append(releases, release{"", &record.Record{Commit: commit}})
			}
			_, err = database.back(t.Context(), releases, c.to, c.accept)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "the schema is ahead of release "+c.to[:12])
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A rollback does not change the schema. So a second rollback compares with the newest release that
// ever ran, and not with the present one.
func TestSchemaIsThatOfEveryRelease(t *testing.T) {
	p := newTestProject(t)
	p.step("00001_users.sql", firstStep)
	p.promoted()
	zero := p.release("prod")
	p.build(true)
	p.promoted()
	p.step("00002_email.sql", addsStep)
	p.build(true)
	p.promoted()
	out, code := p.run("rollback", "--stack", "prod", "--commit", "--accept-additive")
	require.Zero(t, code, out)
	out, code = p.run("rollback", "--stack", "prod", "--to", zero.Commit[:12])
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "00002_email.sql only adds")
}
