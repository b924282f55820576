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

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// orphans lists the objects of the AWS stand-in that are in no stack's state. The
// engine never received the response to their creation.
func (s *Stack) orphans(ctx context.Context) ([]store.Object, error) {
	recorded, err := s.recordedResources()
	if err != nil {
		return nil, err
	}
	objects, err := store.Open(s.layout.AWS())
	if err != nil {
		return nil, err
	}
	var orphans []store.Object
	err = objects.View(ctx, func(tx *store.Tx) error {
		for _, o := range tx.All() {
			if o.Owner == "" && !recorded[o.Type+" "+o.ID] {
				orphans = append(orphans, o)
			}
		}
		return nil
	})
	return orphans, err
}

// recordedResources returns the set of all "TYPE ID" in the state files of the
// sandbox. It reads all stacks, because an object that is not in this stack may be
// in another.
func (s *Stack) recordedResources() (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(s.layout.Backend(), ".pulumi", "stacks", "*", "*.json"))
	if err != nil {
		return nil, err
	}
	recorded := map[string]bool{}
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
			recorded[r.Type+" "+r.ID] = true
		}
	}
	return recorded, nil
}

// creation is a resource that an update created or would create.
type creation struct {
	Resource                // the fields that are compared with an orphan
	record   map[string]any // all fields, as in a state
}

// plannedCreations reads the creations from the output of `pulumi preview --json`.
func plannedCreations(preview []byte) ([]creation, error) {
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
		for _, into := range []any{&c.Resource, &c.record} {
			if err := json.Unmarshal(step.NewState, into); err != nil {
				return nil, fmt.Errorf("pulumi preview --json: %w", err)
			}
		}
		// A preview masks secrets. The refresh after the import reads the real
		// values.
		c.record["inputs"], c.record["outputs"] = map[string]any{}, map[string]any{}
		creations = append(creations, c)
	}
	return creations, nil
}

// edit is an exported state that is being changed. It keeps the fields that State
// lacks, and all digits of numbers.
type edit struct {
	export     map[string]any // the whole export
	deployment map[string]any // the field deployment of the export
	orphans    []store.Object // objects that were not adopted so far
	report     []string       // messages for the user
}

// newEdit parses the output of `pulumi stack export`.
func newEdit(exported []byte, orphans []store.Object) (*edit, error) {
	e := &edit{orphans: orphans}
	exact := json.NewDecoder(bytes.NewReader(exported))
	exact.UseNumber()
	if err := exact.Decode(&e.export); err != nil {
		return nil, fmt.Errorf("pulumi stack export: %w", err)
	}
	e.deployment, _ = e.export["deployment"].(map[string]any)
	return e, nil
}

// adopt looks for an orphan that c created, and records it in the state. It
// returns false if there is none. A replacement takes the position of the resource
// that it replaces, before its dependents. The old resource is marked for deletion
// by the next update, as Pulumi itself does.
func (e *edit) adopt(c creation) (adopted bool) {
	for i, o := range e.orphans {
		if o.Type != c.Type || !MayComeFrom(o, c.Inputs) {
			continue
		}
		e.orphans = append(e.orphans[:i:i], e.orphans[i+1:]...)
		e.report = append(e.report, fmt.Sprintf("%s: was created, as %s", c.URN, o.ID))
		c.record["id"] = o.ID
		resources, _ := e.deployment["resources"].([]any)
		for i, r := range resources {
			old, _ := r.(map[string]any)
			if deleted, _ := old["delete"].(bool); old["urn"] == c.URN && !deleted {
				old["delete"] = true
				resources[i] = c.record
				e.deployment["resources"] = append(resources, old)
				return true
			}
		}
		e.deployment["resources"] = append(resources, c.record)
		return true
	}
	return false
}

// resolvePending removes the pending operations from the state. A creation that
// took effect at AWS becomes a resource. The next update repeats all other
// creations. If a Kubernetes object exists already, its provider takes it over.
func (e *edit) resolvePending(pending []Operation) {
	operations, _ := e.deployment["pending_operations"].([]any)
	for i, op := range pending {
		c := creation{Resource: op.Resource}
		c.record, _ = operations[i].(map[string]any)["resource"].(map[string]any)
		switch {
		case op.Type != "creating":
			e.report = append(e.report, fmt.Sprintf("%s: %s was interrupted; the refresh reads the resource", op.Resource.URN, op.Type))
		case !e.adopt(c):
			e.report = append(e.report, fmt.Sprintf("%s: was not recorded; the next update creates it", op.Resource.URN))
		}
	}
	delete(e.deployment, "pending_operations")
}

const (
	// hiddenSecret is the text that a preview prints in place of a secret. In place of
	// an unknown value a preview prints a text that equals no value at AWS. That is
	// right, because a creation with unknown inputs was never sent.
	hiddenSecret = "[secret]"
	// secretSignature marks an encrypted value in a state. Such a value can't be
	// compared.
	secretSignature = "4dabf18193072939515e22adb298388d"
	// autonameSuffix is the length of the random end of a name generated by Pulumi.
	autonameSuffix = 7
)

// MayComeFrom reports whether an object may have been created with inputs: all known
// values are equal, or the provider sees no difference. The random end of a
// generated name may differ, because each preview generates it again.
func MayComeFrom(object store.Object, inputs map[string]any) bool {
	generated := map[any]bool{}
	defaults, _ := inputs["__defaults"].([]any)
	for _, name := range defaults {
		generated[name] = true
	}
	for name, want := range inputs {
		have := object.State[name]
		same := contains(have, want) || generated[name] && equalExceptSuffix(have, want) || rules.SameValue(object.Type, name, want, have)
		if !same && !strings.HasPrefix(name, "__") {
			return false
		}
	}
	return true
}

// contains says whether a value of an object has every property of the inputs, at
// any depth. Secret inputs count as equal. Properties that begin with two
// underscores belong to the engine and are ignored.
func contains(object, inputs any) bool {
	switch want := inputs.(type) {
	case map[string]any:
		if _, secret := want[secretSignature]; secret {
			return true
		}
		have, ok := object.(map[string]any)
		for name, value := range want {
			ok = ok && (strings.HasPrefix(name, "__") || contains(have[name], value))
		}
		return ok
	case []any:
		have, ok := object.([]any)
		ok = ok && len(have) == len(want)
		for i := range want {
			ok = ok && contains(have[i], want[i])
		}
		return ok
	default:
		return inputs == hiddenSecret || reflect.DeepEqual(object, inputs)
	}
}

// equalExceptSuffix says whether two generated names differ only in their random
// suffix.
func equalExceptSuffix(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	return len(x) == len(y) && len(x) > autonameSuffix && x[:len(x)-autonameSuffix] == y[:len(y)-autonameSuffix]
}
