package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// orphans lists what was created at the stand-in and no stack of the sandbox
// knows: the creations of which the engine never got the answer.
func (s *Stack) orphans(ctx context.Context) ([]store.Object, error) {
	known, err := s.known()
	if err != nil {
		return nil, err
	}
	objects, err := store.Open(s.home.AWS())
	if err != nil {
		return nil, err
	}
	var orphans []store.Object
	err = objects.View(ctx, func(tx *store.Tx) error {
		for _, o := range tx.All() {
			if o.Owner == "" && !known[o.Type+" "+o.ID] {
				orphans = append(orphans, o)
			}
		}
		return nil
	})
	return orphans, err
}

// known are the type and id of every resource in the state files of the
// sandbox: a stack that is not at work now may own what this one does not know.
func (s *Stack) known() (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(s.home.Backend(), ".pulumi", "stacks", "*", "*.json"))
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
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
			known[r.Type+" "+r.ID] = true
		}
	}
	return known, nil
}

// creation is a resource that was or would be created: what of it is compared,
// and the whole of it as the state records it.
type creation struct {
	Resource
	whole map[string]any
}

// planned reads the creations from what `pulumi preview --json` prints.
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
		if step.Op != "create" && step.Op != "create-replacement" {
			continue
		}
		var c creation
		for _, into := range []any{&c.Resource, &c.whole} {
			if err := json.Unmarshal(step.NewState, into); err != nil {
				return nil, fmt.Errorf("pulumi preview --json: %w", err)
			}
		}
		// Those of a preview have their secrets blotted out; the refresh that
		// follows reads the true ones.
		c.whole["inputs"], c.whole["outputs"] = map[string]any{}, map[string]any{}
		creations = append(creations, c)
	}
	return creations, nil
}

// edit is an exported state that is being changed. It has more fields than we
// know; they are kept as they are, and numbers keep all their digits.
type edit struct {
	whole, deployment map[string]any
	orphans           []store.Object
	report            []string
}

func newEdit(exported []byte, orphans []store.Object) (*edit, error) {
	e := &edit{orphans: orphans}
	exact := json.NewDecoder(bytes.NewReader(exported))
	exact.UseNumber()
	if err := exact.Decode(&e.whole); err != nil {
		return nil, fmt.Errorf("pulumi stack export: %w", err)
	}
	e.deployment, _ = e.whole["deployment"].(map[string]any)
	return e, nil
}

// adopt records the resource that c created, if one of the orphans is it. A
// replacement takes the place of the resource it replaces, before all that
// depends on it; the next update deletes the old one, as Pulumi itself would.
func (e *edit) adopt(c creation) bool {
	for i, o := range e.orphans {
		if o.Type != c.Type || !fits(o.State, c.Inputs) {
			continue
		}
		e.orphans = append(e.orphans[:i:i], e.orphans[i+1:]...)
		e.report = append(e.report, fmt.Sprintf("%s: was created, as %s", c.URN, o.ID))
		c.whole["id"] = o.ID
		resources, _ := e.deployment["resources"].([]any)
		for i, r := range resources {
			old, _ := r.(map[string]any)
			if deleted, _ := old["delete"].(bool); old["urn"] == c.URN && !deleted {
				old["delete"] = true
				resources[i] = c.whole
				e.deployment["resources"] = append(resources, old)
				return true
			}
		}
		e.deployment["resources"] = append(resources, c.whole)
		return true
	}
	return false
}

// settle takes the operations that were under way out of the state: a creation
// that took effect becomes a resource, one that did not is left to the next
// update, and so is one outside of AWS, which then takes over what exists.
func (e *edit) settle(pending []Operation) {
	whole, _ := e.deployment["pending_operations"].([]any)
	for i, op := range pending {
		c := creation{Resource: op.Resource}
		c.whole, _ = whole[i].(map[string]any)["resource"].(map[string]any)
		switch {
		case op.Type != "creating":
			e.report = append(e.report, fmt.Sprintf("%s: %s was cut short; read anew", op.Resource.URN, op.Type))
		case !e.adopt(c):
			e.report = append(e.report, fmt.Sprintf("%s: was not recorded; the next update creates it", op.Resource.URN))
		}
	}
	delete(e.deployment, "pending_operations")
}

const (
	// hidden is what a preview writes in place of a secret. In place of what is
	// not known yet it writes a text that nothing at AWS is equal to, and rightly
	// so: what waits for an answer was never sent.
	hidden = "[secret]"
	// secretSignature marks an encrypted value in a state; it can't be compared.
	secretSignature = "4dabf18193072939515e22adb298388d"
	// autonameSuffix is how long the random end of a name is that Pulumi made up.
	autonameSuffix = 7
)

// fits says whether an object may be what inputs created: all that is known is
// equal, but for the random end of names that are made up anew in each preview.
func fits(object, inputs map[string]any) bool {
	madeUp := map[any]bool{}
	defaults, _ := inputs["__defaults"].([]any)
	for _, name := range defaults {
		madeUp[name] = true
	}
	for name, want := range inputs {
		if have := object[name]; !has(have, want) && !(madeUp[name] && sameStem(have, want)) && !strings.HasPrefix(name, "__") {
			return false
		}
	}
	return true
}

// has says whether an object has every property that the inputs give.
// Properties that begin with two underscores are the engine's own.
func has(object, inputs any) bool {
	switch want := inputs.(type) {
	case map[string]any:
		if _, secret := want[secretSignature]; secret {
			return true
		}
		have, ok := object.(map[string]any)
		for name, value := range want {
			ok = ok && (strings.HasPrefix(name, "__") || has(have[name], value))
		}
		return ok
	case []any:
		have, ok := object.([]any)
		ok = ok && len(have) == len(want)
		for i := range want {
			ok = ok && has(have[i], want[i])
		}
		return ok
	default:
		return inputs == hidden || reflect.DeepEqual(object, inputs)
	}
}

func sameStem(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	return len(x) == len(y) && len(x) > autonameSuffix && x[:len(x)-autonameSuffix] == y[:len(y)-autonameSuffix]
}
