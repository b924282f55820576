package layout

import (
	"fmt"
	"os"
	"path/filepath"
)

// noLogs is the text of a file in the place of the CLI's folder of logs.
const noLogs = `Pulumi keeps no debug log of its commands in this sandbox: this file is in the
place of its folder. The log held each resource's inputs several times, which
took a fifth of a preview's time. To get the log, remove this file (the next
"make up" creates it again); "pulumi preview --logtostderr -v=7" shows the same.
`

// createPulumiFolder creates the folder for PULUMI_HOME, and a file at the path of its
// log folder. The CLI compresses and encrypts a log of every command and has no switch
// for that (3.259, StartLogging in pkg/logging/encrypted.go). If the CLI can't create
// the log folder, it runs without a log.
func (l *Layout) createPulumiFolder() error {
	logs := filepath.Join(l.pulumi(), "logs")
	if err := os.MkdirAll(l.pulumi(), 0o700); err != nil {
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

func (l *Layout) pulumi() string { return l.path("pulumi") }

// PulumiWorkspace is a file in which Pulumi keeps the selected stack of a
// project.
func (l *Layout) PulumiWorkspace(name string) string {
	return filepath.Join(l.pulumi(), "workspaces", name)
}
