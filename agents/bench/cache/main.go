// Command cache compares agents/internal/cache with the library of its local
// tier and with the design document's CacheManager under Node, on one
// three-master Redis Cluster, in one run:
//
//	go run ./agents/bench/cache
//
// Each gets the same values under as many keys. It prints a table for
// docs/performance.md and fails for no figure; without Node the CacheManager is
// not compared, and the table says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

const (
	// cores is what the goals are about (issue "The agents", Benchmarks).
	cores = 2
	// inFlight is how many ask Redis at once, as there.
	inFlight = 64
	// crowd is how many ask at once for what nobody has, as there.
	crowd = 1000
	// localBatch and redisBatch are how many answers of a tier come between two
	// looks at the clock; bench.js has the same.
	localBatch, redisBatch = 64, 1
)

func main() {
	each := flag.Duration("each", 2*time.Second, "how long one measurement takes")
	rounds := flag.Int("rounds", 5, "how often each is taken; the median counts")
	flag.Parse()
	runtime.GOMAXPROCS(cores)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if err := run(ctx, *each, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, each time.Duration, rounds int) error {
	cluster, err := testservers.StartRedis(ctx, 0)
	if err != nil {
		return err
	}
	defer cluster.Close()
	o, err := newOurs(ctx, cluster.Addresses())
	if err != nil {
		return err
	}
	defer o.cache.Close()
	all := o.contestants(ctx)
	s, err := newSeed(ctx, cluster.Addresses())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		fmt.Fprintln(os.Stderr, "the document's CacheManager is not compared: install Debian's nodejs and npm:", err)
	case err != nil:
		return err
	default:
		defer s.close()
		all = append(all, s.contestants()...)
	}
	f, err := measure(all, each, rounds)
	if err != nil {
		return err
	}
	if f[loadsOurs], err = o.loads(ctx); err != nil {
		return err
	}
	if s != nil {
		loads, err := s.ask(task{"misses", crowd, 1}, 1)
		if err != nil {
			return err
		}
		f[loadsSeed] = float64(loads)
	}
	f.print(os.Stdout)
	return nil
}
