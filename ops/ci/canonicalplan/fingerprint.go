package canonicalplan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// volatileFields are the fields of a resource in the state that do not describe the resource. They
// depend on the time of the update and on the source line of the program.
var volatileFields = []string{"created", "modified", "sourcePosition", "stackTrace"}

// StateFingerprint returns the digest of a state, which is the output of `pulumi stack export`.
// The digest does not depend on when the state was written. It includes the encrypted text of each
// secret. Pulumi encrypts some secrets again when it writes a state. So after a change and its
// reversal, the digest may differ. An empty state also has a digest.
func StateFingerprint(export []byte) (string, error) {
	var state struct {
		Deployment *struct {
			Resources []map[string]any `json:"resources"`
			Pending   []any            `json:"pending_operations"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(export, &state); err != nil {
		return "", fmt.Errorf("state: %w", err)
	}
	if state.Deployment == nil {
		return "", errors.New("state: no field deployment: must be the output of pulumi stack export")
	}
	if n := len(state.Deployment.Pending); n > 0 {
		return "", fmt.Errorf("state: %d operations are pending, because an update is running or was interrupted: wait until it ends, or run pulumi refresh", n)
	}
	lines := make([]string, 0, len(state.Deployment.Resources))
	for _, r := range state.Deployment.Resources {
		for _, field := range volatileFields {
			delete(r, field)
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return "", fmt.Errorf("state: %w", err)
		}
		lines = append(lines, string(raw))
	}
	// The state has the resources in the order of their registration, which may differ between runs.
	slices.Sort(lines)
	return sha256Hex([]byte(strings.Join(lines, "\n"))), nil
}

// ConfigDigest returns the digest of a stack's configuration, from the contents of Pulumi.yaml and
// Pulumi.STACK.yaml. Comments and the order of keys do not matter. The digest includes the
// encrypted text of each secret.
func ConfigDigest(project, stack []byte) (string, error) {
	var normalized []byte
	for _, file := range [][]byte{project, stack} {
		var content map[string]any
		if err := yaml.Unmarshal(file, &content); err != nil {
			return "", fmt.Errorf("configuration: %w", err)
		}
		raw, err := json.Marshal(content)
		if err != nil {
			return "", fmt.Errorf("configuration: %w", err)
		}
		normalized = append(append(normalized, raw...), '\n')
	}
	return sha256Hex(normalized), nil
}
