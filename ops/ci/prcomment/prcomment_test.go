package prcomment

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/ops/ci/approval"
	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/report"
	"github.com/progressive-framework/platform/policy/waiver"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

func newURN(kind, name string) string {
	return "urn:pulumi:prod::p::progressive:x:X$" + kind + "::" + name
}

// newProdPreview returns a preview with every section that a comment can have.
func newProdPreview() Stack {
	database := canonicalplan.Step{Op: canonicalplan.Replace, URN: newURN("aws:rds/instance:Instance", "db"), Changed: []string{"kmsKeyId"}, Because: []string{"kmsKeyId"}}
	bucket := canonicalplan.Step{Op: canonicalplan.Delete, URN: newURN("aws:s3/bucketV2:BucketV2", "static-bucket")}
	return Stack{
		Plan: &canonicalplan.Plan{
			Stack: "prod", Commit: "0123456789abcdef0123456789abcdef01234567", Unchanged: 446,
			Steps: []canonicalplan.Step{
				bucket, database,
				{Op: canonicalplan.Create, URN: newURN("aws:ec2/route:Route", "out")},
				{Op: canonicalplan.Update, URN: newURN("kubernetes:apps/v1:Deployment", "web"), Changed: []string{"spec.a", "spec.b", "spec.c", "spec.d", "spec.e", "spec.f", "spec.g"}},
			},
			Images:  []canonicalplan.Image{{Name: "web", Before: "sha256:aaa", After: "sha256:bbb"}, {Name: "mca", Before: "sha256:ccc", After: "sha256:ccc"}},
			Sources: map[string]string{database.URN: "components/postgres/rds.go:88"},
		},
		Policy: &report.Report{
			Findings: []report.Finding{
				{Rule: "postgres-two-zones", Kind: report.Mandatory, New: true, Resource: "db", Message: "multiAz is false | <b>@all</b>", Fix: "the key postgres.singleZone", Source: graph.Source{File: "components/postgres/rds.go", Line: 88}},
				{Rule: "bucket-versioned", Kind: report.Mandatory, Resource: "static", Message: "not versioned", Fix: "x"},
				{Rule: "cdn-origin-failover", Kind: report.Advisory, New: true, Resource: "cdn", Message: "no second origin"},
				{Rule: "bucket-no-acls", Kind: report.Waived, Resource: "logs", Waiver: &waiver.Waiver{Until: "2027-03-31", Owner: "platform", Reason: "CloudFront's logs"}},
				{Rule: "iam-narrow", Kind: report.Undecided, Resource: "role"},
			},
			Fixed: []report.Finding{{Rule: "alarm-has-action", Resource: "alarm", Message: "no action"}},
		},
		Cost: &Cost{
			After: cost.Report{Unpriced: []cost.Gap{{}}, NotCounted: []string{"traffic", "tax"}, Total: cost.Range{Expected: 4_200_500_000}},
			Difference: cost.Difference{
				Before: cost.Range{Expected: 4_151_000_000}, After: cost.Range{Expected: 4_200_500_000}, Change: cost.Range{Expected: 49_500_000},
				Components: []cost.Change{{Component: "postgres", After: cost.Range{Min: 49_500_000, Expected: 49_500_000, Max: 49_500_000}, Change: cost.Range{Expected: 49_500_000}}},
				NewGaps:    []cost.Gap{{Component: "mongo", Resource: "docdb-1", Reason: "no row in the price table"}},
			},
		},
		Budget: 4_180 * cost.Dollar,
		Losses: []approval.Loss{
			{Step: bucket, Holds: "objects", Approval: &approval.Approval{Owner: "platform", Until: "2026-12-20", Reason: "moved to another bucket"}},
			{Step: database, Holds: "tables"},
		},
	}
}

// newStagingPreview returns an offline preview without a change.
func newStagingPreview() Stack {
	return Stack{Plan: &canonicalplan.Plan{Stack: "staging", Offline: true, Unchanged: 447}, Policy: &report.Report{}}
}

func TestCommentsEqualTheGoldenFiles(t *testing.T) {
	for name, text := range map[string]string{
		"comment.md": Render([]Stack{newProdPreview(), newStagingPreview()}, Limit),
		"short.md":   Render([]Stack{newProdPreview(), newStagingPreview()}, 2600),
	} {
		file := "testdata/" + name
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), text, "go test ./ops/ci/prcomment -update, and read the difference")
	}
}

func TestRefusalReasonsNameEachReason(t *testing.T) {
	require.Empty(t, newStagingPreview().RefusalReasons())
	require.Equal(t, []string{
		"1 mandatory violation that the state does not have",
		"1 stateful resource would be replaced or deleted without an approval",
		"the stack would cost $4,200.50 a month, the budget is $4,180.00",
	}, newProdPreview().RefusalReasons())
	withinBudget := newProdPreview()
	withinBudget.Budget = 4_201 * cost.Dollar
	require.Len(t, withinBudget.RefusalReasons(), 2)
	growth, ok := withinBudget.costGrowth()
	require.True(t, ok)
	withinBudget.MaxGrowth = growth
	require.Len(t, withinBudget.RefusalReasons(), 2, "at the limit")
	withinBudget.MaxGrowth--
	require.Contains(t, withinBudget.RefusalReasons(), fmt.Sprintf("the cost of a month would grow by %d %%, policy.cost.maxGrowthPercent allows %d %%", growth, growth-1))
	require.Equal(t, "1 to create, 1 to update, 1 to replace, 1 to delete; policies: 1 new, 1 existing, 1 fixed, 1 waived", withinBudget.Summary())
}

// The comment of very large previews is not longer than the limit. It begins with the marker, and its
// first part is complete: the table, the reasons to refuse and the losses.
func TestCommentIsBoundedAndKeepsItsHead(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newProdPreview()
		name := strings.Repeat("n", rapid.IntRange(1, 200).Draw(r, "name"))
		for n := range rapid.IntRange(0, 2000).Draw(r, "steps") {
			s.Plan.Steps = append(s.Plan.Steps, canonicalplan.Step{Op: canonicalplan.Create, URN: newURN("a:b:C", fmt.Sprint(name, n))})
		}
		for n := range rapid.IntRange(0, 500).Draw(r, "findings") {
			s.Policy.Findings = append(s.Policy.Findings, report.Finding{Rule: "rule", Kind: report.Mandatory, New: true, Resource: fmt.Sprint(name, n), Message: name})
		}
		text := Render([]Stack{s, newStagingPreview()}, Limit)
		require.LessOrEqual(r, len(text), Limit)
		require.True(r, strings.HasPrefix(text, Marker))
		head := Render([]Stack{s, newStagingPreview()}, 0)
		head = head[:strings.Index(head, "\nLeft out")]
		require.True(r, strings.HasPrefix(text, head))
		require.Contains(r, head, "Stateful resources that would be lost")
		require.Equal(r, strings.Count(text, "<details>"), strings.Count(text, "</details>"))
	})
}

func TestManyLossesAreCounted(t *testing.T) {
	s := newProdPreview()
	for range 100 {
		s.Losses = append(s.Losses, s.Losses[1])
	}
	require.Contains(t, Render([]Stack{s}, Limit), "| 52 more |", "102 losses, of which 50 are shown")
}
