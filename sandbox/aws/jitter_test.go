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
	long := 0
	for i := range 400 {
		urn := fmt.Sprint("urn-", i)
		d := jitter(7, "create", urn)
		require.Equal(t, d, jitter(7, "create", urn))
		require.Less(t, d, maxLongDelay)
		if d >= maxShortDelay {
			long++
		}
	}
	// About 400/8 = 50 of the 400 delays are long: between half and twice as many.
	require.Greater(t, long, 400/callsPerLongDelay/2)
	require.Less(t, long, 400/callsPerLongDelay*2)
	require.Zero(t, jitter(0, "create", "urn"), "without a seed there is no delay")
	require.Zero(t, jitter(7, "read", "urn"), "reads are not delayed")
	require.NotEqual(t, jitter(7, "create", "urn"), jitter(7, "delete", "urn"))
	require.NotEqual(t, jitter(7, "create", "urn"), jitter(8, "create", "urn"))
}

// The jitter makes calls end in a different order than they start.
func TestJitterChangesTheOrderOfCalls(t *testing.T) {
	s := newSandbox(t, nil)
	order := func(seed uint64) []int {
		s.p.layout.OrderSeed = seed
		var (
			done   []int
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
				done, failed = append(done, i), errors.Join(failed, err)
			})
			time.Sleep(time.Millisecond)
		}
		wait.Wait()
		require.NoError(t, failed)
		return done
	}
	require.False(t, slices.IsSorted(order(7)))
}
