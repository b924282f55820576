package approval

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
)

const (
	databaseURN = "urn:pulumi:prod::p::progressive:postgres:Postgres$aws:rds/instance:Instance::db"
	routeURN    = "urn:pulumi:prod::p::progressive:network:Network$aws:ec2/route:Route::out"
	filesURN    = "urn:pulumi:prod::p::kubernetes:core/v1:Secret::files"
	passwordURN = "urn:pulumi:prod::p::progressive:redis:Redis$kubernetes:core/v1:Secret::password"
	unknownURN  = "urn:pulumi:prod::p::aws:efs/fileSystem:FileSystem::disk"
)

var today = time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC)

func TestOnlyTheLossOfStatefulResourcesNeedsAnApproval(t *testing.T) {
	for _, tc := range []struct {
		reason        string
		op            canonicalplan.Op
		urn           string
		needsApproval bool
	}{
		{"a replaced database loses its tables", canonicalplan.Replace, databaseURN, true},
		{"a deleted database loses its tables", canonicalplan.Delete, databaseURN, true},
		{"an update of the database keeps its tables", canonicalplan.Update, databaseURN, false},
		{"a new database has no tables", canonicalplan.Create, databaseURN, false},
		{"a route holds no data", canonicalplan.Replace, routeURN, false},
		{"a Secret outside of a component has files of the project", canonicalplan.Delete, filesURN, false},
		{"a Secret of a component has a store's password", canonicalplan.Delete, passwordURN, true},
		{"a type that nobody classified may hold data", canonicalplan.Delete, unknownURN, true},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			plan := &canonicalplan.Plan{Stack: "prod", Steps: []canonicalplan.Step{{Op: tc.op, URN: tc.urn}}}
			losses := FindLosses(plan, nil, today)
			require.Equal(t, tc.needsApproval, len(losses) == 1)
			require.Equal(t, len(losses), CountUnapproved(losses))
		})
	}
}

func TestApprovalIsForOneChangeAndALimitedTime(t *testing.T) {
	validApproval := Approval{Stack: "prod", Resource: "db", Op: canonicalplan.Replace, Reason: "r", Owner: "o", Until: "2026-11-29"}
	edit := func(f func(*Approval)) Approval { a := validApproval; f(&a); return a }
	plan := &canonicalplan.Plan{Stack: "prod", Steps: []canonicalplan.Step{{Op: canonicalplan.Replace, URN: databaseURN}}}
	for _, tc := range []struct {
		reason   string
		approval Approval
		refused  string
	}{
		{"today is the last day", validApproval, ""},
		{"the pattern matches the resource", edit(func(a *Approval) { a.Resource = "d*" }), ""},
		{"the approval has expired", edit(func(a *Approval) { a.Until = "2026-11-28" }), "the approval of o ended on 2026-11-28"},
		{"the approval ends more than 30 days ahead", edit(func(a *Approval) { a.Until = "2027-11-28" }), "more than 30 days ahead"},
		{"another stack", edit(func(a *Approval) { a.Stack = "staging" }), "nobody has approved it"},
		{"another operation", edit(func(a *Approval) { a.Op = canonicalplan.Delete }), "nobody has approved it"},
		{"another resource", edit(func(a *Approval) { a.Resource = "other" }), "nobody has approved it"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			losses := FindLosses(plan, []Approval{tc.approval}, today)
			require.Len(t, losses, 1, "an approved change is still shown")
			require.Equal(t, tc.refused == "", CountUnapproved(losses) == 0)
			require.Contains(t, losses[0].Refused, tc.refused)
		})
	}
}

func TestFaultsOfTheFileAreAllReported(t *testing.T) {
	_, err := Parse([]byte("approvals:\n- {stack: prod, resource: db, op: update, reason: r, until: soon}\n"))
	require.ErrorContains(t, err, `op is "update"`)
	require.ErrorContains(t, err, "owner is empty")
	require.ErrorContains(t, err, `until is "soon"`)
	_, err = Parse([]byte("approvals:\n- {recource: db}\n"))
	require.ErrorContains(t, err, "recource", "a misspelled field is not an approval")
	list, err := Parse([]byte("approvals:\n- {stack: prod, resource: db, op: delete, reason: r, owner: o, until: 2026-12-01}\n"))
	require.NoError(t, err)
	require.Len(t, list, 1)
	list, err = Parse(nil)
	require.NoError(t, err)
	require.Empty(t, list)
}
