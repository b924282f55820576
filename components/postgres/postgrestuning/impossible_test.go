package postgrestuning

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A parameter in the wrong unit or with the wrong apply method does not
// compile; each of testdata's programs tries.
func TestWrongParametersDoNotCompile(t *testing.T) {
	for _, row := range []struct{ reason, program, says string }{
		{"the others fail for their own reason", "right", ""},
		{"memory without a unit", "bare", "cannot use 32 << 30"},
		{"a value in another unit", "unit", "unknown field"},
		{"an apply method other than the parameter's", "method", "cannot assign"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), "go", "vet", "./testdata/"+row.program).CombinedOutput()
			if row.says == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err)
			require.Contains(t, string(out), row.says)
		})
	}
}
