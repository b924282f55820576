package pulumicli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxEventBytes limits one line of events. The longest event belongs to a resource with files among
// its inputs.
const maxEventBytes = 64 << 20

// Operation is an operation that an update did.
type Operation struct {
	// Step is the operation's name in the engine, such as create-replacement.
	Step string `json:"step"`
	URN  string `json:"urn"`
}

// event is the part of an engine event that this package reads.
type event struct {
	Outputs *struct {
		Metadata struct {
			Op  string `json:"op"`
			URN string `json:"urn"`
		} `json:"metadata"`
	} `json:"resOutputsEvent"`
	Diagnostic *struct {
		URN       string `json:"urn"`
		Message   string `json:"message"`
		Severity  string `json:"severity"`
		Ephemeral bool   `json:"ephemeral"`
	} `json:"diagnosticEvent"`
	Policy *struct {
		URN     string `json:"resourceUrn"`
		Message string `json:"message"`
		Name    string `json:"policyName"`
		Level   string `json:"enforcementLevel"`
	} `json:"policyEvent"`
}

// Up updates the stack with the policy pack. It returns the operations that were done, even if it
// also returns an error.
func (c *CLI) Up(ctx context.Context) ([]Operation, error) {
	ctx, cancel := c.withTimeout(ctx)
	defer cancel()
	cmd := c.newCommand(ctx, nil, "up", "--yes", "--skip-preview", "--json")
	messages := &limitedBuffer{max: 1 << 20}
	cmd.Stderr = messages
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pulumi up: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, commandError(ctx, "pulumi up", err, "")
	}
	done, failures, readErr := c.readEvents(out)
	if readErr != nil {
		// After an error nothing reads the events, and Pulumi must not block on the pipe.
		_, _ = io.Copy(io.Discard, out)
	}
	err = commandError(ctx, "pulumi up", cmd.Wait(), strings.TrimSpace(strings.Join(failures, "\n")+"\n"+messages.String()))
	return done, errors.Join(err, readErr)
}

// readEvents reads the events of an update. done are the operations, and failures the messages of
// errors and of mandatory violations.
func (c *CLI) readEvents(out io.Reader) (done []Operation, failures []string, err error) {
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 1<<16), maxEventBytes)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		var e event
		if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil {
			continue // a plugin wrote a line that is not an event
		}
		switch {
		case e.Outputs != nil:
			done = append(done, Operation{Step: e.Outputs.Metadata.Op, URN: e.Outputs.Metadata.URN})
			if e.Outputs.Metadata.Op != "same" {
				c.printProgress("%s %s", e.Outputs.Metadata.Op, e.Outputs.Metadata.URN)
			}
		case e.Diagnostic != nil && e.Diagnostic.Severity == "error":
			failures = append(failures, strings.TrimSpace(e.Diagnostic.URN+" "+strings.TrimSpace(e.Diagnostic.Message)))
		case e.Policy != nil && e.Policy.Level == "mandatory":
			failures = append(failures, fmt.Sprintf("%s %s: %s", e.Policy.URN, e.Policy.Name, strings.TrimSpace(e.Policy.Message)))
		}
	}
	if err := lines.Err(); err != nil {
		return done, failures, fmt.Errorf("events of pulumi up: %w", err)
	}
	return done, failures, nil
}

// printProgress writes a line to Progress, if it is set.
func (c *CLI) printProgress(format string, args ...any) {
	if c.Progress != nil {
		fmt.Fprintf(c.Progress, format+"\n", args...)
	}
}
