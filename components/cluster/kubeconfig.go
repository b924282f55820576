package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/progressive-framework/platform/components/account"
)

// kubeconfig returns the kubeconfig of `aws eks update-kubeconfig` as JSON. It has an
// exec plugin and no token, so it may be an output of the stack.
func kubeconfig(name, endpoint, authority string, stackAccount *account.Account) (string, error) {
	type object = map[string]any
	args := []string{"eks", "get-token", "--cluster-name", name, "--region", stackAccount.Region, "--output", "json"}
	if stackAccount.RoleARN != "" {
		args = append(args, "--role-arn", stackAccount.RoleARN)
	}
	exec := object{
		"apiVersion":      "client.authentication.k8s.io/v1beta1",
		"command":         "aws",
		"args":            args,
		"interactiveMode": "Never",
	}
	if stackAccount.Profile != "" {
		// The creator of the cluster is its administrator. So kubectl must use the
		// same profile as the program.
		exec["env"] = []any{object{"name": "AWS_PROFILE", "value": stackAccount.Profile}}
	}
	config, err := json.Marshal(object{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []any{object{"name": name, "cluster": object{
			"server":                     endpoint,
			"certificate-authority-data": authority,
		}}},
		"users":           []any{object{"name": name, "user": object{"exec": exec}}},
		"contexts":        []any{object{"name": name, "context": object{"cluster": name, "user": name}}},
		"current-context": name,
	})
	if err != nil {
		return "", fmt.Errorf("kubeconfig of %s: %w", name, err)
	}
	return string(config), nil
}
