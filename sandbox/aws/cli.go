package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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

// roleLifetime is how long the credentials of an assumed role are valid by default: AWS STS API,
// AssumeRole.
const roleLifetime = time.Hour

// cliCommand is a command of the sandbox's `aws`.
type cliCommand struct {
	options  []string // the options that the command supports
	required []string
	run      func(l *layout.Layout, options map[string]string, stdout io.Writer) error
}

// cliCommands are the commands of the sandbox's `aws`. A kubeconfig of EKS runs the first one, and
// the provider of images runs the others.
var cliCommands = map[string]cliCommand{
	"eks get-token": {
		options:  []string{"--cluster-name", "--region", "--role-arn", "--profile", "--output"},
		required: []string{"--cluster-name"},
		run:      printToken,
	},
	"ecr get-login-password": {
		options: []string{"--region", "--profile"},
		run: func(l *layout.Layout, _ map[string]string, stdout io.Writer) error {
			password, err := rules.RegistryPassword(l)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(stdout, password)
			return err
		},
	},
	"sts assume-role": {
		options:  []string{"--role-arn", "--role-session-name", "--region", "--profile", "--output"},
		required: []string{"--role-arn", "--role-session-name"},
		run:      printRoleCredentials,
	},
}

// RunCLI runs the `aws` program of the sandbox, which has three commands:
//
//	aws eks get-token --cluster-name NAME [--region REGION] [--role-arn ARN] [--profile NAME] [--output json]
//	aws ecr get-login-password [--region REGION] [--profile NAME]
//	aws sts assume-role --role-arn ARN --role-session-name NAME [--region REGION] [--profile NAME] [--output json]
//
// They print the credential of the sandbox's own kubeconfig, the password of the sandbox's registry,
// and credentials that nothing accepts. RunCLI returns an error for every other command or option.
func RunCLI(args []string, stdout, _ io.Writer) error {
	name := strings.Join(args[:min(len(args), 2)], " ")
	command, ok := cliCommands[name]
	if !ok {
		return fmt.Errorf("the sandbox's aws supports only `aws %s`, not %q: it does not connect to an AWS account",
			strings.Join(slices.Sorted(maps.Keys(cliCommands)), "`, `aws "), "aws "+strings.Join(args, " "))
	}
	options, err := command.parseOptions(args[2:])
	if err != nil {
		return fmt.Errorf("aws %s: %w", name, err)
	}
	l, err := layout.FromEnv()
	if err != nil {
		return fmt.Errorf("aws %s: %w", name, err)
	}
	if err := command.run(l, options, stdout); err != nil {
		return fmt.Errorf("aws %s: %w", name, err)
	}
	return nil
}

// printToken prints the credential of the sandbox's own kubeconfig. It returns an error if a client
// at the address in SANDBOX_RUN_FROM could not reach the cluster's API endpoint.
func printToken(l *layout.Layout, options map[string]string, stdout io.Writer) error {
	if err := verifyClusterReachable(l, options); err != nil {
		return err
	}
	current, err := kubeconfig.Read(l.Kubeconfig())
	if err != nil {
		return err
	}
	if err := current.CredentialError(); err != nil {
		return fmt.Errorf("the kubeconfig %s can't stand in for EKS: %w; use a context with a client certificate or a token", l.Kubeconfig(), err)
	}
	return json.NewEncoder(stdout).Encode(execCredential(current, time.Now()))
}

// printRoleCredentials prints credentials in the form of STS's AssumeRole.
func printRoleCredentials(_ *layout.Layout, _ map[string]string, stdout io.Writer) error {
	return json.NewEncoder(stdout).Encode(map[string]any{"Credentials": map[string]string{
		"AccessKeyId": "ASIASANDBOX", "SecretAccessKey": "sandbox", "SessionToken": "sandbox",
		"Expiration": time.Now().UTC().Add(roleLifetime).Format(time.RFC3339),
	}})
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

// parseOptions parses the options of the command. It returns an error for an option or a value that
// the sandbox does not support.
func (c cliCommand) parseOptions(args []string) (map[string]string, error) {
	options := map[string]string{}
	for len(args) > 0 {
		name, value, hasValue := strings.Cut(args[0], "=")
		args = args[1:]
		if !slices.Contains(c.options, name) {
			return nil, fmt.Errorf("the sandbox does not support the option %s; there are %s", name, strings.Join(c.options, ", "))
		}
		if !hasValue {
			if len(args) == 0 {
				return nil, fmt.Errorf("the option %s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		options[name] = value
	}
	for _, name := range c.required {
		if options[name] == "" {
			return nil, fmt.Errorf("the option %s is required", name)
		}
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
