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

// maxFile limits a preview or a state in bytes. The largest known ones have 3 MB.
const maxFile = 256 << 20

// loader reads stacks and computes their reports.
type loader struct {
	// export returns the state of the selected stack.
	export func(context.Context) ([]byte, error)
	// dir is the folder of Pulumi.STACK.yaml.
	dir string
	// config is the file of --config, which replaces the stack's own file.
	config string
	region string
	now    time.Time
}

// stack parses a file. With an empty file it parses the stack's state.
func (l loader) stack(ctx context.Context, file string) (*source.Stack, error) {
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
	if info, err := os.Stat(file); err == nil && info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d MB, must be at most %d", file, info.Size()>>20, maxFile>>20)
	}
	return source.Read(file)
}

// spending returns budget and usage estimates from the stack's configuration. The configuration is
// that in a preview's JSON, that of --config, or Pulumi.STACK.yaml if the file exists.
func (l loader) spending(s *source.Stack) (rule.Spending, error) {
	values := s.Config
	file := l.config
	if own := filepath.Join(l.dir, "Pulumi."+s.Name()+".yaml"); file == "" && values[waiver.EnvironmentKey] == "" {
		if _, err := os.Stat(own); err == nil {
			file = own
		}
	}
	if file != "" {
		read, err := stackconfig.Read(file)
		if err != nil {
			return rule.Spending{}, err
		}
		values = read
	}
	config, err := waiver.Parse(values[waiver.Key])
	if err != nil {
		return rule.Spending{}, err
	}
	if faults := cost.EstimateFaults(config.Cost.Estimates); len(faults) > 0 {
		return rule.Spending{}, fmt.Errorf("%s.cost: %s", waiver.Key, faults[0])
	}
	return config.Cost, nil
}

// report computes the report of a stack.
func (l loader) report(s *source.Stack, spending rule.Spending) cost.Report {
	return cost.Estimate(s, cost.Options{Now: l.now, Region: l.region, Estimates: spending.Estimates})
}
