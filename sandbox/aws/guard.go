package aws

import (
	"fmt"
	"os"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// requireSandbox returns the sandbox of the environment. It returns an error if a user
// could confuse the stand-in with AWS: if the state backend is not the sandbox's, or if
// there are credentials of a real account.
func requireSandbox() (*layout.Layout, error) {
	l, err := layout.FromEnv()
	if err != nil {
		return nil, fmt.Errorf("the AWS stand-in starts in a sandbox only: %w", err)
	}
	const backend = "PULUMI_BACKEND_URL"
	want := l.BackendURL()
	if got := os.Getenv(backend); got != want {
		return nil, fmt.Errorf("the AWS stand-in works with the sandbox's own state only: %s is %q, must be %q; "+
			`run eval "$(make env)" again, or remove %s from PATH to work with real AWS`, backend, got, want, l.Bin())
	}
	for _, name := range layout.CloudVariables {
		if _, set := os.LookupEnv(name); set {
			return nil, fmt.Errorf("the AWS stand-in does not start with access to a real account: %s is set; unset it, "+
				"or remove %s from PATH to work with real AWS", name, l.Bin())
		}
	}
	return l, nil
}
