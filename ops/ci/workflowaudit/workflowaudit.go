// Package workflowaudit checks workflows of GitHub Actions for weaknesses that let others run code,
// read a secret or change a stack. It does no I/O. The audits are in audits.go; each has an
// identifier, a reason and a fix. Another program, actionlint, checks the syntax.
package workflowaudit

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Finding is a place in a workflow that violates an audit.
type Finding struct {
	Audit string
	Line  int
	// Text describes the violation.
	Text string
}

func (f Finding) String() string { return fmt.Sprintf("line %d: %s: %s", f.Line, f.Audit, f.Text) }

// Audit is one check.
type Audit struct {
	ID string
	// Why explains the risk. Fix shows what to write instead.
	Why, Fix string
	check    func(*workflow) []Finding
}

// workflow is the content of a workflow's file.
type workflow struct {
	root *yaml.Node
	// triggers are the names of the events in the field on.
	triggers []string
	jobs     []*job
}

// job is one job of a workflow.
type job struct {
	name  string
	node  *yaml.Node
	steps []*yaml.Node
	// condition is the job's field if.
	condition string
	// environment is the name of the job's environment. It is empty if the job has none.
	environment string
	// permissions are the levels of the job's own permissions, by name. It is nil if the job does not
	// set them. For write-all or read-all it has only that name, with the level write.
	permissions map[string]string
	// line is the line of the job's name.
	line int
}

// Check applies every audit to a workflow's file.
func Check(file []byte) ([]Finding, error) {
	w, err := parseWorkflow(file)
	if err != nil {
		return nil, err
	}
	var all []Finding
	for _, a := range Audits {
		for _, f := range a.check(w) {
			f.Audit = a.ID
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return a.Line - b.Line })
	return all, nil
}

// parseWorkflow reads a workflow's file.
func parseWorkflow(file []byte) (*workflow, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		return nil, fmt.Errorf("workflow: %w", err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("workflow: must be one YAML object")
	}
	w := &workflow{root: document.Content[0]}
	switch on := field(w.root, "on"); {
	case on == nil:
		return nil, fmt.Errorf("workflow: has no field on")
	case on.Kind == yaml.ScalarNode:
		w.triggers = []string{on.Value}
	case on.Kind == yaml.SequenceNode:
		for _, n := range on.Content {
			w.triggers = append(w.triggers, n.Value)
		}
	default:
		w.triggers = fieldNames(on)
	}
	jobs := field(w.root, "jobs")
	for _, name := range fieldNames(jobs) {
		node := field(jobs, name)
		j := &job{
			name: name, node: node, line: node.Line - 1, condition: scalarValue(field(node, "if")),
			permissions: parsePermissions(field(node, "permissions")),
		}
		if steps := field(node, "steps"); steps != nil {
			j.steps = steps.Content
		}
		j.environment = scalarValue(field(node, "environment"))
		if j.environment == "" {
			j.environment = scalarValue(field(field(node, "environment"), "name"))
		}
		w.jobs = append(w.jobs, j)
	}
	if len(w.jobs) == 0 {
		return nil, fmt.Errorf("workflow: has no jobs")
	}
	return w, nil
}

// parsePermissions returns the level of each permission in the field permissions, by name. It
// returns nil if the field is missing.
func parsePermissions(n *yaml.Node) map[string]string {
	if n == nil {
		return nil
	}
	levels := map[string]string{}
	if n.Kind == yaml.ScalarNode {
		levels[n.Value] = "write"
	}
	for _, name := range fieldNames(n) {
		levels[name] = scalarValue(field(n, name))
	}
	return levels
}

// field returns a field of an object, or nil.
func field(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// fieldNames returns the names of an object's fields.
func fieldNames(n *yaml.Node) (all []string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, n.Content[i].Value)
	}
	return all
}

// scalarValue returns the value of a scalar. It returns "" for another node.
func scalarValue(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// actionName returns the action of a step without its version. It returns "" for a step that runs a
// command.
func actionName(step *yaml.Node) string {
	action, _, _ := strings.Cut(scalarValue(field(step, "uses")), "@")
	return action
}

// visitScalars calls visit for every scalar below a node.
func visitScalars(n *yaml.Node, visit func(*yaml.Node)) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		visit(n)
	}
	for _, c := range n.Content {
		visitScalars(c, visit)
	}
}

// reachesCloud reports whether the job can get credentials of an AWS account.
func (j *job) reachesCloud() bool { return j.permissions["id-token"] == "write" }

// changesStack reports whether a step of the job runs an update or a deletion of a stack.
func (j *job) changesStack() bool {
	found := false
	for _, s := range j.steps {
		run := scalarValue(field(s, "run"))
		found = found || strings.Contains(run, "pf ci up") || strings.Contains(run, "pulumi up") || strings.Contains(run, "pulumi destroy")
	}
	return found
}
