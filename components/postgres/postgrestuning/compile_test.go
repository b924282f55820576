package postgrestuning

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each Go program in testdata sets a parameter in a wrong unit or with a wrong apply method, and
// must not compile. Only the program "valid" must compile.
func TestWrongParametersDoNotCompile(t *testing.T) {
	for _, row := range []struct{ reason, program, message string }{
		{"a correct program", "valid", ""},
		{"memory without a unit", "bare", "cannot use 32 << 30"},
		{"a value in another unit", "unit", "unknown field"},
		{"an apply method other than the parameter's", "method", "cannot assign"},
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
