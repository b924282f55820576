package engine

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// faultCount is the number of interrupted updates of the stack. Half of the updates get the
// mode error, and the other half get the mode lose-reply.
const faultCount = 6

// The first `up` of a stack is interrupted at random creations. AWS refuses the creation, or
// completes it and the response is lost. After each fault `sandbox recover` runs. No resource
// may exist twice, and none may be missing from the state.
func TestFaultsAtRandomPoints(t *testing.T) {
	random := rand.New(rand.NewPCG(seed, 0))

	e := newEnvironment(t)
	s := newStack(t, e, "prod")
	defer checkDestroyRemovesEverything(t, s)
	total := s.preview(t).countAWSCreations()
	for i := range faultCount {
		mode := []string{"error", "lose-reply"}[i%2]
		// The faults are spread over the creations that are left.
		creationsPerFault := max(1, (total-len(s.listAWSResources(t)))/(faultCount-i))
		nth := 1 + random.IntN(creationsPerFault)
		_, err := s.run(t, s.dir, "sandbox", "aws", "fail", "--op", "create", "--mode", mode, "--nth", strconv.Itoa(nth))
		require.NoError(t, err)
		_, err = s.tryPulumi(t, "up", "--yes", "--skip-preview")
		require.Error(t, err, "%s at creation %d", mode, nth)
		_, err = s.run(t, s.dir, "sandbox", "aws", "clear-faults")
		require.NoError(t, err)
		_, err = s.run(t, s.dir, "sandbox", "recover", "--stack", s.name)
		require.NoError(t, err)
		s.requireNoDuplicateResources(t)
	}
	s.pulumi(t, "up", "--yes", "--skip-preview")
	s.requireNoDuplicateResources(t)
	s.pulumi(t, "preview", "--expect-no-changes")
}
