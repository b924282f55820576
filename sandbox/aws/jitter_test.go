package aws

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

func TestJitterIsRepeatable(t *testing.T) {
	longDelays := 0
	for i := range 400 {
		urn := fmt.Sprint("urn-", i)
		d := jitter(7, "create", urn)
		require.Equal(t, d, jitter(7, "create", urn))
		require.Less(t, d, maxLongDelay)
		if d >= maxShortDelay {
			longDelays++
		}
	}
	// About 400/8 = 50 of the 400 delays are long. The test allows half to twice as many.
	require.Greater(t, longDelays, 400/callsPerLongDelay/2)
	require.Less(t, longDelays, 400/callsPerLongDelay*2)
	require.Zero(t, jitter(0, "create", "urn"), "without a seed there is no delay")
	require.Zero(t, jitter(7, "read", "urn"), "reads are not delayed")
	require.NotEqual(t, jitter(7, "create", "urn"), jitter(7, "delete", "urn"))
	require.NotEqual(t, jitter(7, "create", "urn"), jitter(8, "create", "urn"))
}

// Because of the jitter, calls do not end in the order in which they start.
func TestJitterChangesTheOrderOfCalls(t *testing.T) {
	s := newSandbox(t, nil)
	createInParallel := func(seed uint64) []int { // returns the keys in the order in which the calls end
		s.p.layout.OrderSeed = seed
		var (
			ended  []int
			failed error
			mu     sync.Mutex
			wait   sync.WaitGroup
		)
		for i := range 20 {
			wait.Go(func() {
				_, err := s.p.Create(t.Context(), &pulumirpc.CreateRequest{
					Urn: urn(keyT, fmt.Sprint("key-", i)), Type: keyT, Properties: s.encode(props{"deletionWindowInDays": 7}),
				})
				mu.Lock()
				defer mu.Unlock()
				ended, failed = append(ended, i), errors.Join(failed, err)
			})
			time.Sleep(time.Millisecond)
		}
		wait.Wait()
		require.NoError(t, failed)
		return ended
	}
	require.False(t, slices.IsSorted(createInParallel(7)))
}
