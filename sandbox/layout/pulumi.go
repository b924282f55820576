package home

import (
	"fmt"
	"os"
	"path/filepath"
)

// noLogs stands where the CLI would make a folder.
const noLogs = `Pulumi keeps no debug log of its commands in this sandbox: this file stands
where its folder would be. Each resource's inputs went into it several times,
which took a fifth of a preview's time. To have it, remove this file (the next
"make up" puts it back); "pulumi preview --logtostderr -v=7" shows the same.
`

// makePulumiHome makes the folder that is PULUMI_HOME. The CLI has no switch
// for the log that it compresses and encrypts beside every command (3.259,
// StartLogging in pkg/logging/encrypted.go); it goes on without one where the
// folder of the logs can't be made.
func (h *Home) makePulumiHome() error {
	logs := filepath.Join(h.pulumi(), "logs")
	if err := os.MkdirAll(h.pulumi(), 0o700); err != nil {
		return fmt.Errorf("Pulumi's folder: %w", err)
	}
	if err := os.RemoveAll(logs); err != nil {
		return fmt.Errorf("Pulumi's logs: %w", err)
	}
	if err := os.WriteFile(logs, []byte(noLogs), 0o600); err != nil {
		return fmt.Errorf("Pulumi's logs: %w", err)
	}
	return nil
}

func (h *Home) pulumi() string { return h.path("pulumi") }

// PulumiWorkspace is a file in which Pulumi keeps the selected stack of a
// project.
func (h *Home) PulumiWorkspace(name string) string {
	return filepath.Join(h.pulumi(), "workspaces", name)
}
