// Command ownpack serves as many of the platform's rules as the environment says, for the
// comparison in docs/performance.md.
package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/server"
)

func main() {
	rules := ruleset.All()
	if n, err := strconv.Atoi(os.Getenv("POLICY_RULES_OF_TEST")); err == nil {
		rules = rules[:n]
	}
	if err := server.Serve(context.Background(), server.Options{Rules: rules, Now: time.Now}, os.Stdout); err != nil {
		os.Exit(1)
	}
}
