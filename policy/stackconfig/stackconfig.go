// Package stackconfig reads a stack's configuration from its YAML file, without the
// secret values. Commands use it if Pulumi does not pass them the configuration.
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
	config, err := Read("Pulumi." + stack + ".yaml")
	if err != nil {
		return nil
	}
	return config
}

// Read returns the values in a stack's YAML file, by key. An object or a list is returned as
// a JSON string, in the form that Pulumi passes to a plugin. Secret values are left out.
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
	config := make(map[string]string, len(doc.Config))
	for key, v := range doc.Config {
		if text, ok := v.(string); ok {
			config[key] = text
			continue
		}
		if object, ok := v.(map[string]any); ok && object["secure"] != nil {
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, key, err)
		}
		config[key] = string(text)
	}
	return config, nil
}
