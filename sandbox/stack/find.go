package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// find looks in the stand-in's store and in the cluster for what was made for
// a resource. Images need no search: pushing one again gives the same digest.
func (s *Stack) find(ctx context.Context, r Resource, taken map[string]bool) (string, bool, error) {
	switch {
	case strings.HasPrefix(r.Type, "aws:"):
		return s.findAWS(ctx, r, taken)
	case strings.HasPrefix(r.Type, "kubernetes:"):
		return s.findObject(ctx, r, taken)
	default:
		return "", false, nil
	}
}

func (s *Stack) findAWS(ctx context.Context, r Resource, taken map[string]bool) (string, bool, error) {
	objects, err := store.Open(s.home.AWS())
	if err != nil {
		return "", false, err
	}
	id := ""
	err = objects.View(ctx, func(tx *store.Tx) error {
		for _, object := range tx.All() {
			if object.Type == r.Type && object.Owner == "" && !taken[object.ID] && madeFrom(object.State, r.Inputs) {
				id = object.ID
				return nil
			}
		}
		return nil
	})
	return id, id != "", err
}

// secretSignature marks an encrypted value in a state; it cannot be compared.
const secretSignature = "4dabf18193072939515e22adb298388d"

// madeFrom says whether an object has every property that the inputs give.
// Properties that begin with two underscores are the engine's own.
func madeFrom(object, inputs any) bool {
	switch want := inputs.(type) {
	case map[string]any:
		if _, secret := want[secretSignature]; secret {
			return true
		}
		has, ok := object.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range want {
			if !strings.HasPrefix(name, "__") && !madeFrom(has[name], value) {
				return false
			}
		}
		return true
	case []any:
		has, ok := object.([]any)
		if !ok || len(has) != len(want) {
			return false
		}
		for i := range want {
			if !madeFrom(has[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return inputs == hidden || reflect.DeepEqual(object, inputs)
	}
}

// findObject asks the API server by the name in the inputs, which is known
// before the object is made, also where Pulumi chose it.
func (s *Stack) findObject(ctx context.Context, r Resource, taken map[string]bool) (string, bool, error) {
	metadata, _ := r.Inputs["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	kind, _ := r.Inputs["kind"].(string)
	version, _ := r.Inputs["apiVersion"].(string)
	if name == "" || kind == "" || version == "" {
		return "", false, nil
	}
	args := []string{"get", qualified(kind, version), name, "--ignore-not-found", "-o", "json", "--request-timeout=20s"}
	if namespace != "" {
		args = append(args, "--namespace", namespace)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.home.Bin(), "kubectl"), args...)
	cmd.Env = s.env
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		// A kind that the server does not know has no objects.
		if strings.Contains(said.String(), "the server doesn't have a resource type") {
			return "", false, nil
		}
		return "", false, fmt.Errorf("kubectl %s: %w: %s", strings.Join(args[:3], " "), err, strings.TrimSpace(said.String()))
	}
	if len(bytes.TrimSpace(out)) == 0 {
		return "", false, nil
	}
	var object struct {
		Metadata struct{ Name, Namespace string }
	}
	if err := json.Unmarshal(out, &object); err != nil {
		return "", false, fmt.Errorf("kubectl %s: %w", strings.Join(args[:3], " "), err)
	}
	// The id is that of the Kubernetes provider: NAMESPACE/NAME, or NAME.
	id := object.Metadata.Name
	if object.Metadata.Namespace != "" {
		id = object.Metadata.Namespace + "/" + id
	}
	return id, !taken[id], nil
}

// qualified writes a kind as kubectl takes it: Kind.version.group.
func qualified(kind, apiVersion string) string {
	if group, version, ok := strings.Cut(apiVersion, "/"); ok {
		return kind + "." + version + "." + group
	}
	return kind + "." + apiVersion + "."
}
