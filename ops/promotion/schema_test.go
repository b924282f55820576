package promotion

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/release/migration"
)

const (
	firstStep = "-- +goose Up\nCREATE TABLE users (id TEXT);\n"
	addsStep  = "-- +goose Up\nALTER TABLE users ADD COLUMN email TEXT;\n"
	dropsStep = "-- +goose Up\nALTER TABLE users DROP COLUMN email;\n"
)

// step commits a step of the schema.
func (p *testProject) step(name, text string) {
	p.t.Helper()
	p.write(migration.Folder+"/"+name, text)
	p.commit(name)
}

// permit commits an approval that ends some days from now.
func (p *testProject) permit(op, step string, days int) {
	p.t.Helper()
	until := time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly)
	p.write(approvalsFile, "approvals:\n- {stack: prod, resource: "+step+", op: "+op+", reason: r, owner: me, until: \""+until+"\"}\n")
	p.commit("permit")
}

func TestPromotionNeedsMigrationsThatAddOrAreApproved(t *testing.T) {
	for _, c := range []struct {
		why     string
		prepare func(*testProject)
		want    string // nothing: promoted
	}{
		{"a step that adds", func(p *testProject) { p.step("00002_email.sql", addsStep) }, ""},
		{"a step that removes", func(p *testProject) { p.step("00002_email.sql", dropsStep) },
			"00002_email.sql: ALTER TABLE USERS DROP COLUMN EMAIL: it removes what an older program may use (nobody has approved it)"},
		{"an approved step", func(p *testProject) {
			p.step("00002_email.sql", dropsStep)
			p.permit("migrate", "00002_email.sql", 3)
		}, ""},
		{"an expired approval", func(p *testProject) {
			p.step("00002_email.sql", dropsStep)
			p.permit("migrate", "00002_email.sql", -2)
		}, "the approval of me ended on"},
		{"an approval of another operation", func(p *testProject) {
			p.step("00002_email.sql", dropsStep)
			p.permit("rollback", "00002_email.sql", 3)
		}, "nobody has approved it"},
		{"a step that was changed", func(p *testProject) { p.step("00001_users.sql", addsStep) }, "00001_users.sql: changed or gone"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p := newTestProject(t)
			p.step("00001_users.sql", firstStep)
			p.promoted()
			c.prepare(p)
			p.build(true)
			before := p.read("Pulumi.prod.yaml")
			out, code := p.run("promote", "--from", "staging", "--to", "prod", "--commit", withoutEvidence)
			if c.want == "" {
				require.Zero(t, code, out)
				require.Regexp(t, `migrations +passed +1 steps since [0-9a-f]{12}`, out)
				return
			}
			require.Equal(t, exitcode.Found, code, out)
			require.Contains(t, out, c.want)
			require.Equal(t, before, p.read("Pulumi.prod.yaml"))
		})
	}
}

func TestRollbackRefusesASchemaThatIsAhead(t *testing.T) {
	for _, c := range []struct {
		why, text string
		prepare   func(*testProject)
		args      []string
		want      string // nothing: rolled back
	}{
		{"by a step that adds", addsStep, nil, nil, "the schema is ahead of release"},
		{"by a step that adds and is accepted", addsStep, nil, []string{"--accept-additive"}, ""},
		{"by a step that removes", dropsStep, nil, []string{"--accept-additive"}, "it removes what an older program may use (nobody has approved it)"},
		{"by an approved step", dropsStep, func(p *testProject) { p.permit("rollback", "00002_email.sql", 1) }, nil, ""},
		{"by a step whose approval ended", dropsStep, func(p *testProject) { p.permit("rollback", "00002_email.sql", -9) }, nil, "the approval of me ended on"},
	} {
		t.Run(c.why, func(t *testing.T) {
			p := newTestProject(t)
			p.step("00001_users.sql", firstStep)
			p.promoted()
			first := p.release("prod")
			p.step("00002_email.sql", c.text)
			p.permit("migrate", "00002_email.sql", 1)
			p.build(true)
			p.promoted()
			if c.prepare != nil {
				c.prepare(p)
			}
			out, code := p.run(append([]string{"rollback", "--stack", "prod", "--commit"}, c.args...)...)
			if c.want != "" {
				require.Equal(t, exitcode.Found, code, out)
				require.Contains(t, out, c.want)
				return
			}
			require.Zero(t, code, out)
			require.True(t, p.release("prod").SameImages(first))
			p.git("switch", "--quiet", "main")
		})
	}
}

// The schema stays where the newest release left it: a second rollback looks at that, not at
// the release that runs now.
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
