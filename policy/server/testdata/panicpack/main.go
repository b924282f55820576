// Command panicpack is a policy pack for tests: one of its rules panics, and
// another one finds each Deployment wrong.
package main

import (
	"context"
	"os"
	"time"

	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/server"
	"github.com/progressive-framework/platform/policy/value"
)

func main() {
	types := []string{"kubernetes:apps/v1:Deployment"}
	rules := []*rule.Rule{
		{ID: "panics", Title: "panics", Fix: "none", Levels: rule.Everywhere, Check: rule.OnTypes(func(*rule.Subject) { panic("a rule of a test") }, types...)},
		{ID: "finds", Title: "finds", Fix: "none", Levels: rule.Everywhere, Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(value.False, "another rule of a test")
		}, types...)},
	}
	if err := server.Serve(context.Background(), server.Options{Rules: rules, Now: time.Now}, os.Stdout); err != nil {
		os.Exit(1)
	}
}
