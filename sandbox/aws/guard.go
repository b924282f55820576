package aws

import (
	"fmt"
	"os"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// requireSandbox returns the layout of the sandbox that the environment defines. It returns an
// error if a user could confuse the stand-in with AWS. This is possible if Pulumi's state is not
// in the sandbox, or if the environment has credentials of a real account.
func requireSandbox() (*layout.Layout, error) {
	l, err := layout.FromEnv()
	if err != nil {
		return nil, fmt.Errorf("the AWS stand-in starts in a sandbox only: %w", err)
	}
	const backendVariable = "PULUMI_BACKEND_URL"
	if backend := os.Getenv(backendVariable); backend != l.BackendURL() {
		return nil, fmt.Errorf("the AWS stand-in works with the sandbox's own state only: %s is %q, must be %q; "+
			`run eval "$(make env)" again, or remove %s from PATH to work with real AWS`, backendVariable, backend, l.BackendURL(), l.Bin())
	}
	for _, name := range layout.CloudVariables {
		if _, set := os.LookupEnv(name); set {
			return nil, fmt.Errorf("the AWS stand-in does not start with access to a real account: %s is set; unset it, "+
				"or remove %s from PATH to work with real AWS", name, l.Bin())
		}
	}
	return l, nil
}
