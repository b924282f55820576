package value

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each program in testdata reads a result as if it were never unknown, and must not compile.
// The program "valid" must compile.
func TestResultsThatIgnoreUnknownDoNotCompile(t *testing.T) {
	for _, row := range []struct{ reason, program, message string }{
		{"a correct program compiles, so the others fail for the reason given", "valid", ""},
		{"a comparison with True", "equals", "cannot be compared"},
		{"a result as a bool", "branch", "non-boolean condition in if statement"},
		{"a switch on a result", "choice", "cannot switch on set"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), "go", "vet", "./testdata/"+row.program).CombinedOutput()
			if row.message == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err)
			require.Contains(t, string(out), row.message)
		})
	}
}
