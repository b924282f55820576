package ruleset_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// literals are the numbers that the rules contain, with their sources: documents of AWS and
// Kubernetes, and standards. 0, 1 and 2 need no source. If the Pulumi program also has a number,
// the rule reads it from the package of the program.
var literals = map[string]string{
	"5":          "ELB's health check timeout and CloudFront's keep-alive timeout, by default",
	"7":          "FSBP: days of backups and of a secret's recovery window",
	"10":         "the CronJob controller checks every 10 s",
	"22":         "SSH",
	"24":         "hours of a day",
	"30":         "days in which KMS deletes a key; seconds of a pod's grace period and of CloudFront's and ELB's timeouts, by default",
	"32":         "characters of the name of a load balancer or target group",
	"60":         "seconds of a minute; the load balancer's idle timeout, by default",
	"64":         "bits of a number",
	"100":        "KEDA's maxReplicaCount, by default",
	"300":        "seconds of a target's deregistration, by default",
	"365":        "days of a year",
	"3389":       "RDP",
	"3600":       "seconds of a lifecycle hook's heartbeat, by default",
	"10_000_000": "the largest budget",
	"1_000":      "the largest limit of the growth by one change, in percent",
}

// The rules contain no number that is also defined elsewhere in the program.
func TestNumbersHaveASource(t *testing.T) {
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	used := map[string]bool{}
	fileSet := token.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fileSet, f.Name(), nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.INT && literal.Kind != token.FLOAT {
				return true
			}
			if small, err := strconv.Atoi(literal.Value); err == nil && small <= 2 {
				return true
			}
			used[literal.Value] = true
			assert.Contains(t, literals, literal.Value, "%s: use the program's constant, or add the document to literals", fileSet.Position(literal.Pos()))
			return true
		})
	}
	for number := range literals {
		assert.True(t, used[number], "no rule contains %s any more: remove it", number)
	}
}
