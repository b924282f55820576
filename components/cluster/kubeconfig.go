package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/progressive-framework/platform/components/account"
)

// renderKubeconfig returns the kubeconfig that `aws eks update-kubeconfig` writes, as JSON. The
// kubeconfig has an exec plugin and no token, so it may be an output of the stack.
func renderKubeconfig(name, endpoint, authority string, stackAccount *account.Account) (string, error) {
	type object = map[string]any
	args := []string{"eks", "get-token", "--cluster-name", name, "--region", stackAccount.Region, "--output", "json"}
	if stackAccount.RoleARN != "" {
		args = append(args, "--role-arn", stackAccount.RoleARN)
	}
	if stackAccount.Profile != "" {
		// The token must belong to the identity that creates the cluster. AWS_PROFILE would not
		// be enough. If environment variables have credentials, the AWS CLI would use them, but
		// the AWS provider uses the profile.
		args = append(args, "--profile", stackAccount.Profile)
	}
	exec := object{
		"apiVersion":      "client.authentication.k8s.io/v1beta1",
		"command":         "aws",
		"args":            args,
		"interactiveMode": "Never",
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
