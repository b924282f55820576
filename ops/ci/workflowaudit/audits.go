package workflowaudit

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Audits lists all audits. Their ideas are from zizmor's documentation ("Audit rules") and from
// GitHub's page "Security hardening for GitHub Actions".
var Audits = []Audit{
	{"pinned", "a tag can be moved to other code", "owner/action@SHA # vN.N.N", checkPinned},
	{"persist-credentials", "the token stays in .git/config, where every later step reads it", "with: persist-credentials: false", checkPersistedCredentials},
	{"permissions", "a job gets permissions that it does not need", "permissions: {} for the workflow, and what a job needs in the job", checkPermissions},
	{"template-injection", "the text of an expression becomes a part of the script", "env: NAME: ${{ … }}, and $NAME in the script", checkTemplateInjection},
	{"dangerous-triggers", "the workflow has secrets and runs for a pull request of anybody", "on: pull_request", checkTriggers},
	{"inherited-secrets", "every secret goes to the called workflow", "name each secret that it needs", checkInheritedSecrets},
	{"timeout", "a job that hangs holds the stack for six hours", "timeout-minutes of at most 180", checkTimeouts},
	{"concurrency", "two runs change a stack at once, or one is killed in the middle", "concurrency of a job that writes: group: stack-NAME, cancel-in-progress: false", checkConcurrency},
	{"environment", "any branch gets credentials of the account", "an environment for each job with id-token: write", checkEnvironments},
	{"cache-poisoning", "a run of another branch puts its build into a deployment", "no cache in a job with id-token: write", checkCaches},
	{"fork-secrets", "a fork's pull request fails, or its code gets a secret", "if: github.event.pull_request.head.repo.full_name == github.repository", checkForkSecrets},
}

var (
	// pinnedAction matches an action at a commit. versionComment matches a comment with the action's
	// version.
	pinnedAction   = regexp.MustCompile(`^[A-Za-z0-9._/-]+@[0-9a-f]{40}$`)
	versionComment = regexp.MustCompile(`^# v\d+\.\d+\.\d+$`)
)

func checkPinned(w *workflow) (all []Finding) {
	check := func(n *yaml.Node) {
		if n == nil || strings.HasPrefix(n.Value, "./") {
			return
		}
		if !pinnedAction.MatchString(n.Value) || !versionComment.MatchString(n.LineComment) {
			all = append(all, Finding{Line: n.Line, Text: fmt.Sprintf("%q is not a commit with its version as a comment", strings.TrimSpace(n.Value+" "+n.LineComment))})
		}
	}
	for _, j := range w.jobs {
		check(field(j.node, "uses"))
		for _, s := range j.steps {
			check(field(s, "uses"))
		}
	}
	return all
}

func checkPersistedCredentials(w *workflow) (all []Finding) {
	for _, s := range allSteps(w) {
		if actionName(s) == "actions/checkout" && scalarValue(field(field(s, "with"), "persist-credentials")) != "false" {
			all = append(all, Finding{Line: s.Line, Text: "checkout keeps the token"})
		}
	}
	return all
}

func checkPermissions(w *workflow) (all []Finding) {
	permissions := field(w.root, "permissions")
	hasEmptyPermissions := permissions != nil && len(fieldNames(permissions)) == 0 && scalarValue(permissions) == ""
	if !hasEmptyPermissions {
		all = append(all, Finding{Line: 1, Text: "the workflow has permissions"})
	}
	for _, j := range w.jobs {
		if j.permissions == nil {
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s names no permissions", j.name)})
		}
		for name := range j.permissions {
			if name == "write-all" || name == "read-all" {
				all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s has %s", j.name, name)})
			}
		}
	}
	return all
}

// checkTemplateInjection reports every expression in a script, because the file does not show whether
// another user controls the value of the expression.
func checkTemplateInjection(w *workflow) (all []Finding) {
	for _, s := range allSteps(w) {
		for _, n := range []*yaml.Node{field(s, "run"), field(field(s, "with"), "script")} {
			if strings.Contains(scalarValue(n), "${{") {
				all = append(all, Finding{Line: n.Line, Text: "an expression in a script"})
			}
		}
	}
	return all
}

func checkTriggers(w *workflow) (all []Finding) {
	for _, event := range []string{"pull_request_target", "workflow_run", "issue_comment"} {
		if slices.Contains(w.triggers, event) {
			all = append(all, Finding{Line: field(w.root, "on").Line, Text: "the trigger is " + event})
		}
	}
	return all
}

func checkInheritedSecrets(w *workflow) (all []Finding) {
	for _, j := range w.jobs {
		if secrets := field(j.node, "secrets"); scalarValue(secrets) == "inherit" {
			all = append(all, Finding{Line: secrets.Line, Text: fmt.Sprintf("job %s passes all secrets on", j.name)})
		}
	}
	return all
}

// maxMinutes is the longest allowed timeout of a job. An update of prod waits for CloudFront, the
// database and the cluster, so it may take more than an hour.
const maxMinutes = 180

func checkTimeouts(w *workflow) (all []Finding) {
	for _, j := range w.jobs {
		if n, err := strconv.Atoi(scalarValue(field(j.node, "timeout-minutes"))); err != nil || n < 1 || n > maxMinutes {
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s has no timeout of 1 to %d minutes", j.name, maxMinutes)})
		}
	}
	return all
}

func checkConcurrency(w *workflow) (all []Finding) {
	for _, j := range w.jobs {
		concurrency := field(j.node, "concurrency")
		if concurrency == nil {
			concurrency = field(w.root, "concurrency")
		}
		group, cancel := scalarValue(field(concurrency, "group")), scalarValue(field(concurrency, "cancel-in-progress"))
		switch {
		case group == "":
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s has no concurrency group", j.name)})
		case j.changesStack() && !strings.HasPrefix(group, "stack-"):
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s changes a stack, and its group is %q", j.name, group)})
		case j.changesStack() && cancel != "false":
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s changes a stack, and a later run cancels it", j.name)})
		}
	}
	return all
}

func checkEnvironments(w *workflow) (all []Finding) {
	for _, j := range w.jobs {
		if j.reachesCloud() && j.environment == "" {
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s gets credentials without an environment", j.name)})
		}
		if j.changesStack() && strings.HasPrefix(j.environment, "preview-") {
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s changes a stack in the environment of previews", j.name)})
		}
	}
	return all
}

func checkCaches(w *workflow) (all []Finding) {
	for _, j := range w.jobs {
		if !j.reachesCloud() {
			continue
		}
		for _, s := range j.steps {
			usesCache := strings.HasPrefix(actionName(s), "actions/cache") ||
				strings.HasPrefix(actionName(s), "actions/setup-") && scalarValue(field(field(s, "with"), "cache")) != "false"
			if usesCache {
				all = append(all, Finding{Line: s.Line, Text: fmt.Sprintf("job %s uses a cache", j.name)})
			}
		}
	}
	return all
}

// ownBranch is an expression of GitHub Actions. It is true for a pull request from a branch of this
// repository, and false for a pull request from a fork.
const ownBranch = "github.event.pull_request.head.repo.full_name == github.repository"

func checkForkSecrets(w *workflow) (all []Finding) {
	if !slices.Contains(w.triggers, "pull_request") {
		return nil
	}
	for _, j := range w.jobs {
		needsSecret := j.reachesCloud()
		for _, level := range j.permissions {
			needsSecret = needsSecret || level == "write"
		}
		visitScalars(j.node, func(n *yaml.Node) { needsSecret = needsSecret || strings.Contains(n.Value, "secrets.") })
		if needsSecret && !strings.Contains(j.condition, ownBranch) {
			all = append(all, Finding{Line: j.line, Text: fmt.Sprintf("job %s needs a secret or a permission that a fork does not have", j.name)})
		}
	}
	return all
}

// allSteps returns the steps of all jobs.
func allSteps(w *workflow) (all []*yaml.Node) {
	for _, j := range w.jobs {
		all = append(all, j.steps...)
	}
	return all
}
