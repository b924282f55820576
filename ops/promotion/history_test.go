package promotion

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

func TestLastUpdateIgnoresOtherOperations(t *testing.T) {
	ended := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	update, err := lastUpdate([]stackoutput.Update{{Kind: "refresh", Result: "failed"}, {Kind: "update", Result: "succeeded", Ended: ended}})
	require.NoError(t, err)
	require.Equal(t, ended, update.Ended)
	_, err = lastUpdate(nil)
	require.ErrorContains(t, err, "no update")
}

// The record has the commit of the clone. The gates are signed with it, so they must not hide that the
// stack was deployed from another one.
func TestReportShowsThatTheStackRunsAnotherCommit(t *testing.T) {
	p := newTestProject(t)
	deployed := p.git("rev-parse", "HEAD")
	p.writeHistory("staging", stackoutput.Update{Kind: "update", Result: "succeeded", Ended: time.Now().Add(-time.Hour), Environment: map[string]string{stackoutput.GitHead: deployed, stackoutput.GitDirty: "true"}})
	promote := []string{"promote", "--from", "staging", "--to", "prod", withoutEvidence}
	out, code := p.run(promote...)
	require.Zero(t, code, out)
	require.NotContains(t, out, "not of the recorded commit")
	require.Regexp(t, `bake-time +passed .*, with changes that were not committed`, out)
	p.write("note", "another commit")
	p.commit("work")
	out, code = p.run(promote...)
	require.Zero(t, code, out)
	require.Regexp(t, `bake-time +passed .*, of commit `+deployed[:12]+`, and not of the recorded commit`, out)
}

func TestLastUpdateNamesTheCommitThatRuns(t *testing.T) {
	commit := strings.Repeat("a", 40)
	update := func(result string, environment map[string]string) stackoutput.Update {
		return stackoutput.Update{Kind: "update", Result: result, Environment: environment}
	}
	clean := map[string]string{stackoutput.GitHead: commit, stackoutput.GitDirty: "false"}
	refresh, destroy := stackoutput.Update{Kind: "refresh", Result: "succeeded"}, stackoutput.Update{Kind: "destroy", Result: "succeeded"}
	many := make([]stackoutput.Update, stackoutput.MaxHistory)
	for i := range many {
		many[i] = refresh
	}
	for _, c := range []struct {
		reason  string
		history []stackoutput.Update
		commit  string
		want    string // the error
	}{
		{"an update before a refresh", []stackoutput.Update{refresh, update("succeeded", clean)}, commit, ""},
		{"a stack that was never updated", nil, "", ""},
		{"a stack that was destroyed", []stackoutput.Update{destroy, update("succeeded", clean)}, "", ""},
		{"an update after a destroy", []stackoutput.Update{update("succeeded", clean), destroy}, commit, ""},
		{"a failed update may have run migrations", []stackoutput.Update{update("failed", clean), update("succeeded", clean)}, "", "the result of that update is failed"},
		{"a failed destroy may have left the database", []stackoutput.Update{{Kind: "destroy", Result: "failed"}, update("succeeded", clean)}, commit, ""},
		{"no git", []stackoutput.Update{update("succeeded", nil)}, "", "files outside git"},
		{"changed files", []stackoutput.Update{update("succeeded", map[string]string{stackoutput.GitHead: commit, stackoutput.GitDirty: "true"})}, "", "differ from commit aaaaaaaaaaaa"},
		{"the update is not in the part of the history that was read", many, "", "none of the last 20 operations"},
		{"Pulumi could not run git status", []stackoutput.Update{update("succeeded", map[string]string{stackoutput.GitHead: commit})}, "", "could not compare"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			lastCommit, err := lastUpdateCommit(c.history)
			require.Equal(t, c.commit, lastCommit)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A stack that has built its images itself has a schema. The first promotion to it must not accept a
// step that breaks the program that runs.
func TestFirstPromotionChecksTheMigrationsSinceTheLastUpdate(t *testing.T) {
	p := newTestProject(t)
	promote := []string{"promote", "--from", "staging", "--to", "prod", withoutEvidence}
	setDeployed := func(commit, dirty string) {
		p.writeHistory("prod", stackoutput.Update{Kind: "update", Result: "succeeded", Environment: map[string]string{
			stackoutput.GitHead: commit, stackoutput.GitDirty: dirty,
		}})
	}
	p.commitMigration("00001_users.sql", createsTable)
	p.commitMigration("00002_email.sql", addsColumn)
	deployed := p.git("rev-parse", "HEAD")
	setDeployed(deployed, "false")
	p.commitMigration("00003_email.sql", dropsColumn)

	out, code := p.run(promote...)
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "00003_email.sql: ALTER TABLE USERS DROP COLUMN EMAIL")
	require.NotContains(t, out, "00002_email.sql")
	require.Equal(t, prodFile, p.read("Pulumi.prod.yaml"))

	setDeployed(deployed, "true")
	out, code = p.run(promote...)
	require.Equal(t, exitcode.Found, code, out)
	require.Contains(t, out, "run pulumi up --stack prod from a commit without other changes")

	p.writeApproval("migrate", "00003_email.sql", 3)
	p.commit("approve")
	setDeployed(deployed, "false")
	out, code = p.run(promote...)
	require.Zero(t, code, out)
	require.Contains(t, out, "1 steps since "+deployed[:12]+", 1 statements approved")

	// The file has no release any more, but prod still runs the one of its last update.
	p.commit("release")
	setDeployed(p.git("rev-parse", "HEAD"), "false")
	promoted := p.readRelease("prod").Commit
	p.write("Pulumi.prod.yaml", prodFile)
	p.commit("no release")
	out, code = p.run(promote...)
	require.Zero(t, code, out)
	require.Contains(t, out, "0 steps since "+promoted[:12])
}
