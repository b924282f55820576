// Package costreport is the operator's command for the monthly cost of a stack: a
// report, the difference that a change makes, and a refresh of the price table. It
// owns reading and printing; policy/cost computes.
package costreport

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
)

// maxFileBytes limits the size of a preview or a state. The largest known ones have 3 MB.
const maxFileBytes = 256 << 20

// loader reads stacks and computes their reports.
type loader struct {
	// export returns the state of the selected stack.
	export func(context.Context) ([]byte, error)
	// dir is the folder of Pulumi.STACK.yaml.
	dir string
	// configFile is the file of --config, which replaces the stack's own file.
	configFile string
	region     string
	now        time.Time
}

// readStack parses a file. If file is empty, it parses the stack's state.
func (l loader) readStack(ctx context.Context, file string) (*source.Stack, error) {
	if file == "" {
		raw, err := l.export(ctx)
		if err != nil {
			return nil, err
		}
		s, err := source.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("pulumi stack export: %w", err)
		}
		return s, nil
	}
	if info, err := os.Stat(file); err == nil && info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s has %d MB, must be at most %d", file, info.Size()>>20, maxFileBytes>>20)
	}
	return source.Read(file)
}

// readSpending returns the budget and the usage estimates of the stack's configuration. It uses the
// file of --config, or the configuration in a preview's JSON, or Pulumi.STACK.yaml if that file
// exists.
func (l loader) readSpending(stack *source.Stack) (rule.Spending, error) {
	values := stack.Config
	file := l.configFile
	previewHasConfig := values[waiver.EnvironmentKey] != ""
	if file == "" && !previewHasConfig {
		stackFile := filepath.Join(l.dir, "Pulumi."+stack.Name()+".yaml")
		if _, err := os.Stat(stackFile); err == nil {
			file = stackFile
		}
	}
	if file != "" {
		fileValues, err := stackconfig.Read(file)
		if err != nil {
			return rule.Spending{}, err
		}
		values = fileValues
	}
	config, err := waiver.Parse(values[waiver.Key])
	if err != nil {
		return rule.Spending{}, err
	}
	if problems := cost.EstimateProblems(config.Cost.Estimates); len(problems) > 0 {
		return rule.Spending{}, fmt.Errorf("%s.cost: %s", waiver.Key, problems[0])
	}
	return config.Cost, nil
}

// estimate computes the cost report of a stack.
func (l loader) estimate(s *source.Stack, spending rule.Spending) cost.Report {
	return cost.Estimate(s, cost.Options{Now: l.now, Region: l.region, Estimates: spending.Estimates})
}
