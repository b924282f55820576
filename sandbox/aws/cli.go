package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/kubeconfig"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// tokenLifetime is how long a token of `aws eks get-token` is valid. The AWS CLI uses the
// same value.
const tokenLifetime = 14 * time.Minute

// RunCLI runs the `aws` program of the sandbox. The program has one command, which a kubeconfig
// of EKS runs:
//
//	aws eks get-token --cluster-name NAME [--region REGION] [--role-arn ARN] [--profile NAME] [--output json]
//
// The command prints the credential of the sandbox's own kubeconfig. RunCLI returns an error if
// a client at the address in SANDBOX_RUN_FROM could not reach the cluster's API endpoint. It
// also returns an error for every other command or option.
func RunCLI(args []string, stdout, _ io.Writer) error {
	if len(args) < 2 || args[0] != "eks" || args[1] != "get-token" {
		return fmt.Errorf("the sandbox's aws supports only `aws eks get-token`, not %q: it does not connect to an AWS account", "aws "+strings.Join(args, " "))
	}
	options, err := parseTokenOptions(args[2:])
	if err != nil {
		return fmt.Errorf("aws eks get-token: %w", err)
	}
	l, err := layout.FromEnv()
	if err != nil {
		return fmt.Errorf("aws eks get-token: %w", err)
	}
	if err := verifyClusterReachable(l, options); err != nil {
		return err
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

// verifyClusterReachable returns an error if a client at the address in SANDBOX_RUN_FROM could
// not reach the cluster's API endpoint. Then `aws eks get-token` prints no credential, and the
// client fails. On AWS, the connection of the client would time out.
func verifyClusterReachable(l *layout.Layout, options map[string]string) error {
	cloud, err := openCloud(l, cmp.Or(options["--region"], os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), rules.DefaultRegion))
	if err != nil {
		return err
	}
	if cloud.Client, err = rules.ParseClient(os.Getenv(rules.RunFromVariable)); err != nil {
		return err
	}
	return cloud.VerifyClusterReachable(context.Background(), options["--cluster-name"])
}

// parseTokenOptions parses the options of `aws eks get-token`. It returns an error for an
// option or a value that the sandbox does not support.
func parseTokenOptions(args []string) (map[string]string, error) {
	options := map[string]string{}
	for len(args) > 0 {
		name, value, hasValue := strings.Cut(args[0], "=")
		args = args[1:]
		if !slices.Contains([]string{"--cluster-name", "--region", "--role-arn", "--profile", "--output"}, name) {
			return nil, fmt.Errorf("the sandbox does not support the option %s; there are --cluster-name, --region, --role-arn, --profile and --output", name)
		}
		if !hasValue {
			if len(args) == 0 {
				return nil, fmt.Errorf("the option %s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		options[name] = value
	}
	if options["--cluster-name"] == "" {
		return nil, errors.New("the option --cluster-name is required")
	}
	if role, isSet := options["--role-arn"]; isSet && !strings.HasPrefix(role, "arn:"+rules.Partition+":iam::") {
		return nil, fmt.Errorf("--role-arn %s: must be the ARN of a role", role)
	}
	if output := options["--output"]; output != "" && output != "json" {
		return nil, fmt.Errorf("--output %s: only json is supported", output)
	}
	return options, nil
}

// credential is an ExecCredential of client.authentication.k8s.io/v1beta1. It is the format
// that kubectl and client-go expect from a program in a kubeconfig.
type credential struct {
	Kind       string           `json:"kind"`
	APIVersion string           `json:"apiVersion"`
	Spec       struct{}         `json:"spec"`
	Status     credentialStatus `json:"status"`
}

// credentialStatus is the status of an ExecCredential: a token, or a client certificate
// with its key.
type credentialStatus struct {
	ExpirationTimestamp   string `json:"expirationTimestamp"`
	Token                 string `json:"token,omitempty"`
	ClientCertificateData string `json:"clientCertificateData,omitempty"`
	ClientKeyData         string `json:"clientKeyData,omitempty"`
}

// execCredential returns the credential of a kubeconfig's current context as an
// ExecCredential.
func execCredential(c *kubeconfig.Context, now time.Time) credential {
	return credential{
		Kind: "ExecCredential", APIVersion: "client.authentication.k8s.io/v1beta1",
		Status: credentialStatus{
			ExpirationTimestamp: now.UTC().Add(tokenLifetime).Format(time.RFC3339),
			Token:               c.Token, ClientCertificateData: c.Certificate, ClientKeyData: c.Key,
		},
	}
}
