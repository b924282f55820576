package cluster

import (
	"encoding/json"
	"fmt"
)

// kubeconfig is what `aws eks update-kubeconfig` writes, as JSON: it names an
// exec plugin instead of a token, so that it can stand in an output.
func kubeconfig(name, endpoint, authority, region string) (string, error) {
	type object = map[string]any
	config, err := json.Marshal(object{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []any{object{"name": name, "cluster": object{
			"server":                     endpoint,
			"certificate-authority-data": authority,
		}}},
		"users": []any{object{"name": name, "user": object{"exec": object{
			"apiVersion":      "client.authentication.k8s.io/v1beta1",
			"command":         "aws",
			"args":            []string{"eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"},
			"interactiveMode": "Never",
		}}}},
		"contexts":        []any{object{"name": name, "context": object{"cluster": name, "user": name}}},
		"current-context": name,
	})
	if err != nil {
		return "", fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	return string(config), nil
}
