// The program of the Progressive Framework platform. It reads a stack's configuration, deploys from
// the account up to the edge, and exports what users and the next steps need. The packages of
// components/ create the resources; this program connects them.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/infra/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		stack, err := load(ctx.Stack())
		if err != nil {
			return err
		}
		if err := checkPrerequisites(exec.LookPath); err != nil {
			return err
		}
		for _, warning := range stack.Warnings {
			if err := ctx.Log.Warn(warning, nil); err != nil {
				return fmt.Errorf("warning about the configuration: %w", err)
			}
		}
		return deploy(ctx, stack)
	})
}

// load reads all keys of the stack's configuration, which the engine passes in one
// variable. Package pulumi/config reads one key at a time, and would not find a
// misspelled key.
func load(stack string) (*config.Stack, error) {
	values := map[string]string{}
	if raw := os.Getenv(pulumi.EnvConfig); raw != "" {
		if err := json.Unmarshal([]byte(raw), &values); err != nil {
			return nil, fmt.Errorf("%s, which the engine sets, holds no JSON object: %w", pulumi.EnvConfig, err)
		}
	}
	var secretKeys []string
	if raw := os.Getenv(pulumi.EnvConfigSecretKeys); raw != "" {
		if err := json.Unmarshal([]byte(raw), &secretKeys); err != nil {
			return nil, fmt.Errorf("%s, which the engine sets, holds no JSON list: %w", pulumi.EnvConfigSecretKeys, err)
		}
	}
	day, err := today()
	if err != nil {
		return nil, err
	}
	return config.Load(stack, values, config.WithSecrets(secretKeys), config.WithToday(day))
}

// todayVariable is an environment variable with a day, such as 2026-12-02. The program checks
// whether versions have support on that day. If it is unset, the day is today. Tests set the
// variable, and so does a person who wants the preview of a later day. The sandbox's AWS reads the
// same variable.
const todayVariable = "PROGRESSIVE_TODAY"

// today returns the day of todayVariable, or the current day.
func today() (time.Time, error) {
	value := os.Getenv(todayVariable)
	if value == "" {
		return time.Now(), nil
	}
	day, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %q: must be a day such as 2026-12-02", todayVariable, value)
	}
	return day, nil
}
