// Package stackconfig reads a stack's plain configuration from its YAML file,
// for commands to which Pulumi does not pass it.
package stackconfig

import (
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// Find returns the configuration in Pulumi.STACK.yaml of the working folder. It
// returns nil if there is no such file, or if the file is not valid.
func Find(stack string) map[string]string {
	values, err := Read("Pulumi." + stack + ".yaml")
	if err != nil {
		return nil
	}
	return values
}

// Read returns the values in a stack's YAML file, by key. An object or a list is a JSON
// text, as in Pulumi. Secret values are left out.
func Read(file string) (map[string]string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the stack's configuration: %w", err)
	}
	var doc struct {
		Config map[string]any `json:"config"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	values := make(map[string]string, len(doc.Config))
	for key, v := range doc.Config {
		if text, ok := v.(string); ok {
			values[key] = text
			continue
		}
		if object, ok := v.(map[string]any); ok && object["secure"] != nil {
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, key, err)
		}
		values[key] = string(text)
	}
	return values, nil
}
