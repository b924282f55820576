package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/kubeconfig"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// tokenLifetime is the validity of a token that `aws eks get-token` prints.
const tokenLifetime = 14 * time.Minute

// CLI is the `aws` program of the sandbox. It has one command, which a kubeconfig
// of EKS runs:
//
//	aws eks get-token --cluster-name NAME [--region REGION] [--output json]
//
// It prints the credential of the sandbox's own kubeconfig. Every other command or
// option is an error that names it.
func CLI(args []string, stdout, _ io.Writer) error {
	if len(args) < 2 || args[0] != "eks" || args[1] != "get-token" {
		return fmt.Errorf("the sandbox's aws has `aws eks get-token` only, not %q: it reaches no account", "aws "+strings.Join(args, " "))
	}
	if err := checkOptions(args[2:]); err != nil {
		return fmt.Errorf("aws eks get-token: %w", err)
	}
	l, err := layout.FromEnv()
	if err != nil {
		return fmt.Errorf("aws eks get-token: %w", err)
	}
	current, err := kubeconfig.Read(l.Kubeconfig())
	if err != nil {
		return fmt.Errorf("aws eks get-token: %w", err)
	}
	if err := current.CredentialError(); err != nil {
		return fmt.Errorf("aws eks get-token: the kubeconfig %s can't stand in for EKS: %w; use a context with a client certificate or a token",
			l.Kubeconfig(), err)
	}
	return json.NewEncoder(stdout).Encode(execCredential(current, time.Now()))
}

// checkOptions returns an error for options of get-token that the stand-in does
// not support.
func checkOptions(args []string) error {
	given := map[string]string{}
	for len(args) > 0 {
		name, value, hasValue := strings.Cut(args[0], "=")
		args = args[1:]
		if !slices.Contains([]string{"--cluster-name", "--region", "--output"}, name) {
			return fmt.Errorf("the sandbox does not support the option %s; there are --cluster-name, --region and --output", name)
		}
		if !hasValue {
			if len(args) == 0 {
				return fmt.Errorf("the option %s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		given[name] = value
	}
	if given["--cluster-name"] == "" {
		return errors.New("the option --cluster-name is required")
	}
	if output := given["--output"]; output != "" && output != "json" {
		return fmt.Errorf("--output %s: only json is supported", output)
	}
	return nil
}

// credential is an ExecCredential of client.authentication.k8s.io/v1beta1, which
// kubectl and client-go read.
type credential struct {
	Kind       string           `json:"kind"`
	APIVersion string           `json:"apiVersion"`
	Spec       struct{}         `json:"spec"`
	Status     credentialStatus `json:"status"`
}

type credentialStatus struct {
	ExpirationTimestamp   string `json:"expirationTimestamp"`
	Token                 string `json:"token,omitempty"`
	ClientCertificateData string `json:"clientCertificateData,omitempty"`
	ClientKeyData         string `json:"clientKeyData,omitempty"`
}

// execCredential returns the credential of a kubeconfig, for kubectl.
func execCredential(c *kubeconfig.Current, now time.Time) credential {
	return credential{
		Kind: "ExecCredential", APIVersion: "client.authentication.k8s.io/v1beta1",
		Status: credentialStatus{
			ExpirationTimestamp: now.UTC().Add(tokenLifetime).Format(time.RFC3339),
			Token:               c.Token, ClientCertificateData: c.Certificate, ClientKeyData: c.Key,
		},
	}
}
