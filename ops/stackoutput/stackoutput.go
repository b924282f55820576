// Package stackoutput reads a stack's outputs (URL, namespace, cluster, stores), its state and its
// history. It runs `pulumi stack output`, `export` and `history`, which change nothing, not even
// the selected stack. infra/outputs.go declares the outputs.
package stackoutput

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

const (
	// timeout limits one command of Pulumi.
	timeout = time.Minute
	// endDelay is the longest time from the end of ctx to the end of the command.
	endDelay = 200 * time.Millisecond
)

// Outputs are the outputs of a stack that pf uses. A field is empty if the stack does not have the
// output.
type Outputs struct {
	URL         string          `json:"url"`
	Namespace   string          `json:"namespace"`
	ClusterName string          `json:"clusterName"`
	Kubeconfig  json.RawMessage `json:"kubeconfig"`
	// AutoScalingGroups has the names of the Auto Scaling groups by tier.
	AutoScalingGroups map[string]string `json:"autoScalingGroups"`
	// Images are the images that the stack builds or promotes, as REPOSITORY@DIGEST by their short
	// names.
	Images   map[string]string `json:"images"`
	Postgres Store             `json:"postgres"`
	Redis    Store             `json:"redis"`
	Mongo    Store             `json:"mongo"`
}

// Store has the address of a store and the place of its password.
type Store struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	// SecretName is the name of a Secret in the namespace. SecretARN is the ARN of a secret in
	// Secrets Manager. A store has either SecretName or SecretARN.
	SecretName string `json:"secretName"`
	SecretARN  string `json:"secretArn"`
}

// IsDocumentDB reports whether a document store is DocumentDB. The host of a DocumentDB cluster is
// NAME.cluster-ID.REGION.docdb.amazonaws.com. In China it also ends in .cn. Any other host belongs
// to a MongoDB that the stack does not create.
func (s Store) IsDocumentDB() bool {
	return strings.HasSuffix(strings.TrimSuffix(s.Host, ".cn"), ".docdb.amazonaws.com")
}

// KubeconfigContent returns the content of the stack's kubeconfig. Pulumi prints an output with JSON
// text either as text or as an object.
func (o Outputs) KubeconfigContent() []byte {
	var text string
	if json.Unmarshal(o.Kubeconfig, &text) == nil {
		return []byte(text)
	}
	return o.Kubeconfig
}

// Stack names a stack. The zero value is the selected stack of the project in the current folder.
type Stack struct {
	// Name is the value of Pulumi's flag --stack. Dir is the value of the flag --cwd.
	Name, Dir string
}

// AddFlags adds the flags --stack and --cwd.
func (s *Stack) AddFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&s.Name, "stack", "s", "", "the stack; the default is the one that pulumi stack select has selected")
	flags.StringVarP(&s.Dir, "cwd", "C", "", "the folder of Pulumi.yaml; the default is the current folder")
}

// ErrNoOutputs is the cause of an error if nothing is deployed, so that the stack has no outputs.
var ErrNoOutputs = errors.New("the stack has no outputs: run pulumi up first")

// Read reads the outputs. An error has Pulumi's message.
func (s *Stack) Read(ctx context.Context) (o Outputs, err error) {
	out, err := s.runPulumi(ctx, "stack", "output", "--json", "--non-interactive")
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

// Export returns the stack's state as `pulumi stack export` prints it. The secret values are
// encrypted.
func (s *Stack) Export(ctx context.Context) ([]byte, error) {
	return s.runPulumi(ctx, "stack", "export", "--non-interactive")
}

// Update is an entry in the stack's history.
type Update struct {
	// Kind is update, destroy, refresh or another operation of Pulumi.
	Kind string `json:"kind"`
	// Result is succeeded, failed or in-progress.
	Result string `json:"result"`
	// Ended is when the operation ended.
	Ended time.Time `json:"endTime"`
	// Environment describes the folder of the program. GitHead and GitDirty are two of its keys.
	Environment map[string]string `json:"environment"`
}

const (
	// GitHead is the key of Update.Environment with the commit that was checked out.
	GitHead = "git.head"
	// GitDirty is the key with the value "true" if files differed from that commit.
	GitDirty = "git.dirty"
)

// MaxHistory is the maximum number of operations that ReadHistory returns.
const MaxHistory = 20

// ReadHistory reads the last MaxHistory operations on the stack, the newest first.
func (s *Stack) ReadHistory(ctx context.Context) ([]Update, error) {
	out, err := s.runPulumi(ctx, "stack", "history", "--json", "--page-size", strconv.Itoa(MaxHistory), "--page", "1", "--non-interactive")
	if err != nil {
		return nil, err
	}
	var list []Update
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("read the stack: pulumi stack history printed no JSON of the expected form: %w", err)
	}
	return list, nil
}

// runPulumi runs a Pulumi command that reads the stack, and returns its output. An error has Pulumi's
// message.
func (s *Stack) runPulumi(ctx context.Context, args ...string) ([]byte, error) {
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
	// After the end of Pulumi, a plugin may keep the output pipe open. cmd.Output must not wait for
	// the plugin.
	cmd.WaitDelay = endDelay
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
