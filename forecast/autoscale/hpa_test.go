package autoscale

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// documentSpec is the behaviour that the design document requires for the HPA of the main
// application.
var documentSpec = Spec{
	Min: 3, Max: 50,
	Up:   Behavior{Window: 60, Policies: []Policy{{Percent: true, Value: 50, Seconds: 60}, {Value: 5, Seconds: 60}}, Tolerance: 0.1},
	Down: Behavior{Window: 300, Policies: []Policy{{Percent: true, Value: 10, Seconds: 60}, {Value: 2, Seconds: 60}}, SelectMin: true, Tolerance: 0.1},
}

// The HPA decides as Kubernetes' own controller did on a random load. testdata/kubernetes.csv
// records that controller; sandbox/replicas writes the file. Each row has the number of pods before
// a decision. The next row has the number after it.
func TestDecisionsMatchKubernetes(t *testing.T) {
	file, err := os.Open("testdata/kubernetes.csv")
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	decisions, changes := map[string]int{}, map[string]int{}
	for name, tc := range map[string]struct {
		spec   Spec
		target float64
	}{
		"document":               {documentSpec, 0.7},
		"fast":                   {FastSpec(3, 50, DefaultTolerance), 1},
		"fast without tolerance": {FastSpec(3, 50, 0), 1},
	} {
		hpa := NewHPA(tc.spec)
		for i := 1; i+1 < len(rows); i++ {
			if rows[i][0] != name || rows[i+1][0] != name {
				continue
			}
			now, load, before, after := parseNumber(t, rows[i][1]), parseNumber(t, rows[i][2]), parseNumber(t, rows[i][3]), parseNumber(t, rows[i+1][3])
			proposal := tc.spec.Proposal(float64(load)/1000, tc.target, before)
			require.Equal(t, after, hpa.Next(now, before, proposal), "%s, second %d: %d thousandths on %d pods", name, now, load, before)
			decisions[name]++
			if after != before {
				changes[name]++
			}
		}
		require.Greater(t, decisions[name], 1400, name)
		require.Greater(t, changes[name], 100, name)
	}
}

// parseNumber reads a whole number of a row.
func parseNumber(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

func TestPodsServeAfterTheirStartAndPodsThatAreNotReadyEndFirst(t *testing.T) {
	p := Pods{Ready: 3}
	p.Scale(6, func() int { return 2 })
	require.Equal(t, 6, p.Count())
	require.InDelta(t, 1, p.Step(4), 0, "new pods do not serve at once")
	require.InDelta(t, 1, p.Step(4), 0)
	require.Zero(t, p.Step(4), "they serve after two steps")
	p.Scale(8, func() int { return 3 })
	p.Scale(6, nil)
	require.Equal(t, 6, p.Ready, "pods that are not ready end first")
	p.Scale(2, nil)
	require.Equal(t, 2, p.Ready)
	require.Equal(t, 5, p.Created)
}

// The number of pods always stays between Min and Max. At a constant load it reaches load / target,
// except for the tolerance.
func TestHPAReachesAConstantLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := rapid.SampledFrom([]Spec{documentSpec, FastSpec(3, 50, 0), FastSpec(3, 50, 0.1)}).Draw(t, "spec")
		load := rapid.Float64Range(0, 80).Draw(t, "load")
		count := rapid.IntRange(1, 60).Draw(t, "count")
		hpa := NewHPA(spec)
		for k := range 400 {
			count = hpa.Next(k*StepSeconds, count, spec.Proposal(load, 0.7, count))
			require.GreaterOrEqual(t, count, spec.Min)
			require.LessOrEqual(t, count, spec.Max)
		}
		want := min(max(math.Ceil(load/0.7), 3), 50)
		delta := 0.0
		if spec.Down.Tolerance > 0 { // the HPA stops within the tolerance, and rounding up adds one pod
			delta = 1 + 1.12*spec.Down.Tolerance*want
		}
		require.InDelta(t, want, count, delta)
	})
}
