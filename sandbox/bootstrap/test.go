package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/progress"
)

// module is one Go module of the repository.
type module struct {
	name string
	// dir is relative to the project.
	dir string
	// apart are packages that only make test or make e2e run by themselves.
	apart string
}

var modules = []module{
	{name: "the platform", dir: "."},
	{name: "the sandbox", dir: "sandbox", apart: "/test/"},
}

// heavy are modules that take minutes to compile once more for the race
// detector. Tests that link one of them run without it: they are tests of
// wiring, and the goroutines are in the packages below.
var heavy = []string{
	"github.com/pulumi/pulumi-aws/sdk/",
	"github.com/pulumi/pulumi-kubernetes/sdk/",
	"github.com/google/ko/",
	"k8s.io/kubernetes/",
	"modernc.org/sqlite",
	"k8s.io/kubectl/",
	"k8s.io/client-go/",
	"sigs.k8s.io/kwok/",
}

// check is one command of `make test`.
type check struct {
	name string
	dir  string // relative to the project
	args []string
	env  []string
}

// test runs every hermetic check. The first that fails ends it: what follows
// would say the same again, more slowly.
func test(ctx context.Context, w where, log *progress.Log, out io.Writer) error {
	if missing := absent(slices.Concat(racePackages, serverPackages, clientPackages)); len(missing) > 0 {
		log.Expect(1)
		if err := install(ctx, log, missing); err != nil {
			return err
		}
	}
	var checks []check
	for _, m := range modules {
		own, err := unitChecks(ctx, w, m)
		if err != nil {
			return err
		}
		checks = append(checks, own...)
	}
	checks = append(checks, check{
		name: "engine tests", dir: "sandbox",
		args: []string{"test", trimpath, "-count=1", "-timeout=30m", "./test/engine/..."},
	})
	log.Expect(len(checks))
	for _, c := range checks {
		if err := c.run(ctx, w, log, out); err != nil {
			return err
		}
	}
	return nil
}

// unitChecks are vet, the light tests with the race detector, and the rest.
func unitChecks(ctx context.Context, w where, m module) ([]check, error) {
	tests, err := testPackages(ctx, w, m.dir)
	if err != nil {
		return nil, fmt.Errorf("tests of %s: %w", m.name, err)
	}
	var light, rest []string
	for _, t := range tests {
		switch {
		case m.apart != "" && strings.Contains(t.path+"/", m.apart):
		case t.heavy:
			rest = append(rest, t.path)
		default:
			light = append(light, t.path)
		}
	}
	vet := check{name: "vet of " + m.name, dir: m.dir, args: []string{"vet", trimpath, "./..."}}
	checks := []check{vet}
	if len(light) > 0 {
		checks = append(checks, check{
			name: fmt.Sprintf("tests of %s with the race detector: %d packages", m.name, len(light)), dir: m.dir,
			args: append([]string{"test", "-race", trimpath}, light...), env: []string{"CGO_ENABLED=1"},
		})
	}
	if len(rest) > 0 {
		checks = append(checks, check{
			name: fmt.Sprintf("tests of %s that link much: %d packages", m.name, len(rest)), dir: m.dir,
			args: append([]string{"test", trimpath}, rest...),
		})
	}
	return checks, nil
}

func (c check) run(ctx context.Context, w where, log *progress.Log, out io.Writer) error {
	return log.Step(c.name, func(func(string)) error {
		cmd := w.goCommand(ctx, c.dir, c.args...)
		cmd.Env = slices.Concat(w.env, c.env)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: go %s: %w", c.name, c.args[0], err)
		}
		return nil
	})
}

// testPackage is a package that has tests.
type testPackage struct {
	path  string
	heavy bool
}

// testPackages lists the packages of a module that have tests, and says which
// of them link a heavy module.
func testPackages(ctx context.Context, w where, dir string) ([]testPackage, error) {
	cmd := w.goCommand(ctx, dir, "list", "-test", "-f", `{{if eq .Name "main"}}{{.ImportPath}} {{join .Deps " "}}{{end}}`, trimpath, "./...")
	var said strings.Builder
	cmd.Stderr = &said
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, indent(said.String()))
	}
	return parseTestPackages(string(raw)), nil
}

// parseTestPackages reads one test binary a line: its name, PATH.test, and all
// that it links.
func parseTestPackages(listed string) []testPackage {
	var found []testPackage
	for _, line := range strings.Split(listed, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || !strings.HasSuffix(fields[0], ".test") {
			continue
		}
		found = append(found, testPackage{
			path:  strings.TrimSuffix(fields[0], ".test"),
			heavy: slices.ContainsFunc(fields[1:], linksHeavy),
		})
	}
	return found
}

func linksHeavy(pkg string) bool {
	return slices.ContainsFunc(heavy, func(prefix string) bool { return strings.HasPrefix(pkg+"/", prefix) })
}
