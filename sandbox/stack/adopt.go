package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// adopt takes into the state what AWS made although the engine never got its
// answer, so that the next update makes no second one. The engine has
// forgotten those creations; a preview tells what it would make, and what
// exists and fits one of them is it. It is what a person does at AWS with
// `pulumi preview --import-file` and `pulumi import`.
func (s *Stack) adopt(ctx context.Context, say func(string, ...any)) error {
	unknown, err := s.unknown(ctx)
	if err != nil || len(unknown) == 0 {
		return err
	}
	plan, err := s.query(ctx, "preview", "--json")
	if err != nil {
		return err
	}
	creations, err := planned(plan)
	if err != nil || len(creations) == 0 {
		return err
	}
	raw, err := s.query(ctx, "stack", "export")
	if err != nil {
		return err
	}
	state, report, err := withAdopted(raw, creations, unknown)
	if err != nil || state == nil {
		return err
	}
	say("AWS made what an earlier update of the stack %s does not know of", s.name)
	for _, line := range report {
		say("  %s", line)
	}
	return s.replaceState(ctx, state)
}

// unknown lists what somebody made at the stand-in and no stack's state knows.
func (s *Stack) unknown(ctx context.Context) ([]store.Object, error) {
	known, err := s.known()
	if err != nil {
		return nil, err
	}
	objects, err := store.Open(s.home.AWS())
	if err != nil {
		return nil, err
	}
	var unknown []store.Object
	err = objects.View(ctx, func(tx *store.Tx) error {
		for _, o := range tx.All() {
			if o.Owner == "" && !known[o.Type][o.ID] {
				unknown = append(unknown, o)
			}
		}
		return nil
	})
	return unknown, err
}

// known reads the states of all stacks of the sandbox: a stack that is not at
// work now may own what this one does not know.
func (s *Stack) known() (map[string]map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(s.home.Backend(), ".pulumi", "stacks", "*", "*.json"))
	if err != nil {
		return nil, err
	}
	known := map[string]map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("state of a stack: %w", err)
		}
		var content struct {
			Checkpoint struct {
				Latest State `json:"latest"`
			} `json:"checkpoint"`
		}
		if err := json.Unmarshal(raw, &content); err != nil {
			return nil, fmt.Errorf("state %s: %w", file, err)
		}
		for _, r := range content.Checkpoint.Latest.Resources {
			take(known, r)
		}
	}
	return known, nil
}

// creation is a resource that a preview would make, whole and as far as it
// matters here.
type creation struct {
	Resource
	whole map[string]any
}

// planned reads the creations of AWS resources from what
// `pulumi preview --json` prints.
func planned(preview []byte) ([]creation, error) {
	var plan struct {
		Steps []struct {
			Op       string          `json:"op"`
			NewState json.RawMessage `json:"newState"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(preview, &plan); err != nil {
		return nil, fmt.Errorf("pulumi preview --json: %w", err)
	}
	var creations []creation
	for _, step := range plan.Steps {
		if step.Op != "create" {
			continue
		}
		var c creation
		if err := json.Unmarshal(step.NewState, &c.Resource); err != nil {
			return nil, fmt.Errorf("pulumi preview --json: %w", err)
		}
		if !strings.HasPrefix(c.Type, "aws:") {
			continue
		}
		if err := json.Unmarshal(step.NewState, &c.whole); err != nil {
			return nil, fmt.Errorf("pulumi preview --json: %w", err)
		}
		creations = append(creations, c)
	}
	return creations, nil
}

// withAdopted adds to an exported state each planned creation that one of the
// unknown objects fits. It returns nil where none does.
func withAdopted(exported []byte, creations []creation, unknown []store.Object) (state []byte, report []string, err error) {
	whole, inner, resources, err := openExport(exported)
	if err != nil {
		return nil, nil, err
	}
	adopted := map[string]bool{}
	for _, c := range creations {
		for _, o := range unknown {
			if key := o.Type + " " + o.ID; o.Type == c.Type && !adopted[key] && fits(o.State, c.Inputs) {
				adopted[key] = true
				// The refresh that follows reads inputs and outputs; those of the
				// preview have their secrets blotted out.
				c.whole["id"], c.whole["inputs"], c.whole["outputs"] = o.ID, map[string]any{}, map[string]any{}
				resources = append(resources, c.whole)
				report = append(report, fmt.Sprintf("%s: was made, as %s", c.URN, o.ID))
				break
			}
		}
	}
	if len(adopted) == 0 {
		return nil, nil, nil
	}
	inner["resources"] = resources
	state, err = json.Marshal(whole)
	return state, report, err
}

// hidden is what a preview writes in place of a secret. In place of what is not
// known yet it writes a text that nothing at AWS is equal to, and rightly so:
// what waits for an answer has not been made.
const hidden = "[secret]"

// autonameSuffix is how long the random end of a name is that Pulumi made up.
const autonameSuffix = 7

// fits says whether an object may be what the inputs of a planned creation
// would make: all that is known is equal, but for the random end of names that
// are made up anew in each preview.
func fits(object map[string]any, inputs map[string]any) bool {
	defaults, _ := inputs["__defaults"].([]any)
	madeUp := map[string]bool{}
	for _, name := range defaults {
		text, _ := name.(string)
		madeUp[text] = true
	}
	for name, want := range inputs {
		have := object[name]
		if madeUp[name] && sameStem(have, want) {
			continue
		}
		if !strings.HasPrefix(name, "__") && !madeFrom(have, want) {
			return false
		}
	}
	return true
}

func sameStem(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	return len(x) == len(y) && len(x) > autonameSuffix && x[:len(x)-autonameSuffix] == y[:len(y)-autonameSuffix]
}
