// Package stackoutput reads where a stack's platform is: its url, namespace,
// cluster and stores, and its state. It runs `pulumi stack output`, `export` and `history`,
// which change nothing, not even the selected stack. infra/outputs.go declares the outputs.
package stackoutput

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// timeout limits one command of Pulumi.
const timeout = time.Minute

// Outputs are the outputs of a stack that an operator's command uses. A member
// is empty if the stack does not have it.
type Outputs struct {
	URL         string          `json:"url"`
	Namespace   string          `json:"namespace"`
	ClusterName string          `json:"clusterName"`
	Kubeconfig  json.RawMessage `json:"kubeconfig"`
	// AutoScalingGroups are the names of the tiers' groups, by tier.
	AutoScalingGroups map[string]string `json:"autoScalingGroups"`
	// Images are the images that the stack builds or promotes, as REPOSITORY@DIGEST, by
	// their short names.
	Images   map[string]string `json:"images"`
	Postgres Store             `json:"postgres"`
	Redis    Store             `json:"redis"`
	Mongo    Store             `json:"mongo"`
}

// Store is where a store and its password are.
type Store struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	// SecretName is a Secret in the namespace, SecretARN a secret of Secrets
	// Manager. A store has one of them.
	SecretName string `json:"secretName"`
	SecretARN  string `json:"secretArn"`
}

// KubeconfigFile is the content of the stack's kubeconfig. Pulumi prints an
// output that is JSON text as text or as an object.
func (o Outputs) KubeconfigFile() []byte {
	var text string
	if json.Unmarshal(o.Kubeconfig, &text) == nil {
		return []byte(text)
	}
	return o.Kubeconfig
}

// Stack names a stack. The zero value is the selected stack of the project in
// the current folder.
type Stack struct {
	// Name is --stack of Pulumi, and Dir its --cwd.
	Name, Dir string
}

// Flags adds the flags that choose the stack.
func (s *Stack) Flags(flags *pflag.FlagSet) {
	flags.StringVarP(&s.Name, "stack", "s", "", "the stack; the default is the one that pulumi stack select has selected")
	flags.StringVarP(&s.Dir, "cwd", "C", "", "the folder of Pulumi.yaml; the default is the current folder")
}

// ErrNoOutputs is the cause of an error of a stack without outputs: nothing is
// deployed.
var ErrNoOutputs = errors.New("the stack has no outputs: run pulumi up first")

// Read reads the outputs. The error has what Pulumi says.
func (s *Stack) Read(ctx context.Context) (o Outputs, err error) {
	out, err := s.pulumi(ctx, "stack", "output", "--json", "--non-interactive")
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(out, &o); err != nil {
		return o, fmt.Errorf("read the stack: pulumi stack output printed no JSON of the expected form: %w", err)
	}
	if o.URL == "" && o.Namespace == "" {
		return o, fmt.Errorf("read the stack: %w", ErrNoOutputs)
	}
	return o, nil
}

// Export returns the stack's state as `pulumi stack export` prints it. Secret
// values in it are encrypted.
func (s *Stack) Export(ctx context.Context) ([]byte, error) {
	return s.pulumi(ctx, "stack", "export", "--non-interactive")
}

// Update is an operation of Pulumi on a stack.
type Update struct {
	// Kind is update, destroy, refresh and so on.
	Kind string `json:"kind"`
	// Result is succeeded, failed or in-progress.
	Result string `json:"result"`
	// Ended is when it ended.
	Ended time.Time `json:"endTime"`
}

// History reads the last operations on the stack, the newest first.
func (s *Stack) History(ctx context.Context) ([]Update, error) {
	out, err := s.pulumi(ctx, "stack", "history", "--json", "--page-size", "20", "--page", "1", "--non-interactive")
	if err != nil {
		return nil, err
	}
	var list []Update
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("read the stack: pulumi stack history printed no JSON of the expected form: %w", err)
	}
	return list, nil
}

// pulumi runs a command that reads the stack. The error has what Pulumi says.
func (s *Stack) pulumi(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	command := strings.Join(args[:2], " ")
	if s.Name != "" {
		args = append(args, "--stack", s.Name)
	}
	if s.Dir != "" {
		args = append(args, "--cwd", s.Dir)
	}
	cmd := exec.CommandContext(ctx, "pulumi", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch message := strings.TrimSpace(strings.TrimPrefix(stderr.String(), "error: ")); {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf(`read the stack: %w: install Pulumi, or run eval "$(make env)" for the sandbox`, err)
	case err != nil && message != "":
		return nil, fmt.Errorf("read the stack: %s", message)
	case err != nil:
		return nil, fmt.Errorf("read the stack: pulumi %s: %w", command, err)
	}
	return out, nil
}
