package workflowaudit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProjectWorkflowsHaveNoFinding(t *testing.T) {
	files, err := filepath.Glob("../../../.github/workflows/*.yml")
	require.NoError(t, err)
	require.Greater(t, len(files), 3)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		findings, err := Check(raw)
		require.NoError(t, err, file)
		require.Empty(t, findings, file)
	}
}

// validWorkflow is a workflow without a finding.
const validWorkflow = `
on: pull_request
permissions: {}
concurrency:
  group: stack-prod
  cancel-in-progress: false
jobs:
  deploy:
    if: github.event.pull_request.head.repo.full_name == github.repository
    permissions:
      id-token: write
    environment: prod
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0
        with:
          cache: false
      - uses: ./local
      - run: pf ci up
        env:
          TITLE: ${{ github.event.pull_request.title }}
`

// Each edit of validWorkflow violates exactly one audit.
func TestEveryAuditRefusesABadExample(t *testing.T) {
	findings, err := Check([]byte(validWorkflow))
	require.NoError(t, err)
	require.Empty(t, findings)
	hasExample := map[string]bool{}
	for _, tc := range []struct{ reason, audit, old, new string }{
		{"an action by tag", "pinned", "@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7"},
		{"an action by commit, without a comment with the version", "pinned", " # v7.0.1", ""},
		{"an action by branch", "pinned", "./local", "owner/action@main"},
		{"credentials are kept by default", "persist-credentials", "        with:\n          persist-credentials: false\n", ""},
		{"credentials are kept", "persist-credentials", "persist-credentials: false", "persist-credentials: true"},
		{"permissions of the workflow", "permissions", "permissions: {}", "permissions:\n  contents: read"},
		{"default permissions", "permissions", "permissions: {}\n", ""},
		{"all permissions", "permissions", "permissions: {}", "permissions: write-all"},
		{"a title in a script", "template-injection", "run: pf ci up", "run: pf ci up ${{ github.event.pull_request.title }}"},
		{"a title in JavaScript", "template-injection", "uses: ./local", "uses: ./local\n        with:\n          script: f(${{ github.head_ref }})"},
		{"secrets for everybody's code", "dangerous-triggers", "on: pull_request", "on: [pull_request, pull_request_target]"},
		{"a run with secrets after another workflow", "dangerous-triggers", "on: pull_request", "on:\n  pull_request:\n  workflow_run:\n    workflows: [x]"},
		{"all secrets", "inherited-secrets", "    environment: prod\n", "    environment: prod\n    secrets: inherit\n"},
		{"no timeout; GitHub's default is six hours", "timeout", "    timeout-minutes: 10\n", ""},
		{"a timeout of four hours", "timeout", "timeout-minutes: 10", "timeout-minutes: 240"},
		{"no concurrency group", "concurrency", "concurrency:\n  group: stack-prod\n  cancel-in-progress: false\n", ""},
		{"a concurrency group for each branch", "concurrency", "group: stack-prod", "group: deploy-${{ github.ref }}"},
		{"a later run cancels an update", "concurrency", "cancel-in-progress: false", "cancel-in-progress: true"},
		{"a later run cancels an update, because of the job's own group", "concurrency", "    environment: prod\n", "    environment: prod\n    concurrency:\n      group: stack-prod\n      cancel-in-progress: ${{ true }}\n"},
		{"credentials for any branch", "environment", "    environment: prod\n", ""},
		{"an update with the environment of previews", "environment", "environment: prod", "environment:\n      name: preview-prod"},
		{"setup-go restores a cache by default", "cache-poisoning", "        with:\n          cache: false\n", ""},
		{"a cache", "cache-poisoning", "./local", "actions/cache/restore@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"},
		{"credentials for a fork", "fork-secrets", "    if: github.event.pull_request.head.repo.full_name == github.repository\n", ""},
		{"credentials for a fork, because of another condition", "fork-secrets", "if: github.event.pull_request.head.repo.full_name == github.repository", "if: always()"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(validWorkflow, tc.old), "the example must have one place to edit")
			findings, err := Check([]byte(strings.Replace(validWorkflow, tc.old, tc.new, 1)))
			require.NoError(t, err)
			require.NotEmpty(t, findings)
			for _, f := range findings {
				require.Equal(t, tc.audit, f.Audit, f.String())
				require.Positive(t, f.Line)
			}
			hasExample[tc.audit] = true
		})
	}
	for _, a := range Audits {
		require.True(t, hasExample[a.ID], "audit %s has no bad example", a.ID)
		require.NotEmpty(t, a.Why)
		require.NotEmpty(t, a.Fix)
	}
}

func TestEveryAuditIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/ci.md")
	require.NoError(t, err)
	for _, a := range Audits {
		require.Contains(t, string(page), "| "+a.ID+" |")
	}
}

func TestFileWithoutAWorkflowIsRefused(t *testing.T) {
	for _, raw := range []string{"", "[]", "\t", "on: push", "jobs: {a: {}}", "on: push\njobs: {}"} {
		_, err := Check([]byte(raw))
		require.Error(t, err, raw)
	}
}
