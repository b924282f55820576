package layout

import (
	"fmt"
	"os"
	"path/filepath"
)

// noLogsText is the text of the file that takes the place of Pulumi's folder of logs.
const noLogsText = `Pulumi writes no debug logs in this sandbox, because this file has the name of the
folder for them. A log contains each resource's inputs several times, and writing it
took a fifth of a preview's time. To get the logs, remove this file (the next
"make up" creates it again). "pulumi preview --logtostderr -v=7" shows the same.
`

// createPulumiFolder creates the folder for PULUMI_HOME, and a file at the path of the
// folder for logs. The CLI compresses and encrypts a log of every command, and no option
// turns this off (Pulumi 3.259, StartLogging in pkg/logging/encrypted.go). If the CLI can't
// create the folder, it runs without a log.
func (l *Layout) createPulumiFolder() error {
	logs := filepath.Join(l.pulumiFolder(), "logs")
	if err := os.MkdirAll(l.pulumiFolder(), 0o700); err != nil {
		return fmt.Errorf("Pulumi's folder: %w", err)
	}
	if err := os.RemoveAll(logs); err != nil {
		return fmt.Errorf("Pulumi's logs: %w", err)
	}
	if err := os.WriteFile(logs, []byte(noLogsText), 0o600); err != nil {
		return fmt.Errorf("Pulumi's logs: %w", err)
	}
	return nil
}

// pulumiFolder is the value of PULUMI_HOME.
func (l *Layout) pulumiFolder() string { return l.path("pulumi") }

// PulumiWorkspace returns the path of a file in which Pulumi stores the selected stack of
// a project.
func (l *Layout) PulumiWorkspace(name string) string {
	return filepath.Join(l.pulumiFolder(), "workspaces", name)
}
