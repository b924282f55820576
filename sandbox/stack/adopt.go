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

// findOrphans returns the objects of the AWS stand-in that no stack's state contains. For such
// an object the engine has not received the response to the creation.
func (s *Stack) findOrphans(ctx context.Context) ([]store.Object, error) {
	recorded, err := s.readRecordedResources()
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

// readRecordedResources returns the resources in the state files of the sandbox, as a set of
// "TYPE ID". It reads the files of all stacks, because an object may belong to another stack.
func (s *Stack) readRecordedResources() (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(s.layout.Backend(), ".pulumi", "stacks", "*", "*.json"))
	if err != nil {
		return nil, err
	}
	recorded := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the state of a stack: %w", err)
		}
		var content struct {
			Checkpoint struct {
				Latest State `json:"latest"`
			} `json:"checkpoint"`
		}
		if err := json.Unmarshal(raw, &content); err != nil {
			return nil, fmt.Errorf("parse the state %s: %w", file, err)
		}
		for _, r := range content.Checkpoint.Latest.Resources {
			recorded[r.Type+" "+r.ID] = true
		}
	}
	return recorded, nil
}

// creation is a resource that an update has created or would create.
type creation struct {
	Resource                // the fields that adopt compares with an orphan
	record   map[string]any // all fields, in the form that a state has
}

// parseCreations reads the creations from the output of `pulumi preview --json`.
func parseCreations(preview []byte) ([]creation, error) {
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
		for _, target := range []any{&c.Resource, &c.record} {
			if err := json.Unmarshal(step.NewState, target); err != nil {
				return nil, fmt.Errorf("pulumi preview --json: %w", err)
			}
		}
		// A preview hides secrets. So inputs and outputs stay empty here, and the refresh
		// after the import reads the real values.
		c.record["inputs"], c.record["outputs"] = map[string]any{}, map[string]any{}
		creations = append(creations, c)
	}
	return creations, nil
}

// stateEdit is a change of an exported state. The state is untyped here, because the type State
// has only some of its fields. Numbers keep all their digits.
type stateEdit struct {
	export     map[string]any // the whole export
	deployment map[string]any // the field deployment of the export
	orphans    []store.Object // objects at AWS that no state contains, without the adopted ones
	report     []string       // messages for the user
}

// newStateEdit parses the output of `pulumi stack export`.
func newStateEdit(exported []byte, orphans []store.Object) (*stateEdit, error) {
	e := &stateEdit{orphans: orphans}
	decoder := json.NewDecoder(bytes.NewReader(exported))
	decoder.UseNumber()
	if err := decoder.Decode(&e.export); err != nil {
		return nil, fmt.Errorf("pulumi stack export: %w", err)
	}
	e.deployment, _ = e.export["deployment"].(map[string]any)
	return e, nil
}

// adopt looks for an orphan that may come from the creation c, and adds it to the state. It
// returns false if there is no such orphan.
func (e *stateEdit) adopt(c creation) (adopted bool) {
	for i, o := range e.orphans {
		if o.Type != c.Type || !MayComeFrom(o, c.Inputs) {
			continue
		}
		e.orphans = append(e.orphans[:i:i], e.orphans[i+1:]...)
		e.report = append(e.report, fmt.Sprintf("%s: was created, as %s", c.URN, o.ID))
		c.record["id"] = o.ID
		e.addResource(c)
		return true
	}
	return false
}

// addResource adds the resource of the creation c to the state.
//
// If c replaces a resource of the state, the new resource takes the position of the old one. So
// the new resource is before the resources that depend on it. As in Pulumi, the old resource is
// marked for deletion, and the next update deletes it.
func (e *stateEdit) addResource(c creation) {
	resources, _ := e.deployment["resources"].([]any)
	for i, r := range resources {
		old, _ := r.(map[string]any)
		isDeleted, _ := old["delete"].(bool)
		if old["urn"] == c.URN && !isDeleted {
			old["delete"] = true
			resources[i] = c.record
			e.deployment["resources"] = append(resources, old)
			return
		}
	}
	e.deployment["resources"] = append(resources, c.record)
}

// resolvePending removes the pending operations from the state. If a pending creation has
// created an object at AWS, the object becomes a resource of the state. The next update repeats
// all other pending creations. If such a creation has created a Kubernetes object, the Kubernetes
// provider then updates the object.
func (e *stateEdit) resolvePending(pending []Operation) {
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
	// hiddenSecret is the text that a preview prints in place of a secret.
	//
	// For an unknown value a preview prints another text, which no object at AWS has. So a creation
	// with an unknown input matches no orphan. This is correct, because the engine sends a creation
	// only when all inputs are known.
	hiddenSecret = "[secret]"
	// secretSignature is the key of an encrypted value in a state (Pulumi's SDK,
	// resource.SecretSig). Such a value can't be compared.
	secretSignature = "4dabf18193072939515e22adb298388d"
	// autonameSuffix is the length of the random end of a name that Pulumi generates.
	autonameSuffix = 7
)

// MayComeFrom reports whether an object may have been created with inputs. Each input must
// be equal to the object's value, or the provider must see no difference between them. The
// random end of a generated name may differ, because each preview generates it again.
func MayComeFrom(object store.Object, inputs map[string]any) bool {
	generated := map[any]bool{} // names of the inputs that Pulumi has generated
	defaults, _ := inputs["__defaults"].([]any)
	for _, name := range defaults {
		generated[name] = true
	}
	for name, input := range inputs {
		if strings.HasPrefix(name, "__") {
			continue // the input belongs to the engine
		}
		value := object.State[name]
		isEqual := contains(value, input) || generated[name] && equalExceptSuffix(value, input) || rules.SameValue(object.Type, name, input, value)
		if !isEqual {
			return false
		}
	}
	return true
}

// contains reports whether a value of an object has every property of the inputs, at
// any depth. A secret input is equal to every value. Properties that begin with two
// underscores belong to the engine and are ignored.
func contains(object, inputs any) bool {
	switch want := inputs.(type) {
	case map[string]any:
		if _, isSecret := want[secretSignature]; isSecret {
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

// equalExceptSuffix reports whether two generated names differ only in their
// random suffix.
func equalExceptSuffix(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	return len(x) == len(y) && len(x) > autonameSuffix && x[:len(x)-autonameSuffix] == y[:len(y)-autonameSuffix]
}
