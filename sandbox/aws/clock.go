package aws

import (
	"fmt"
	"os"
	"time"
)

// todayVariable is the environment variable with the day of the stand-in's clock, such as
// 2026-12-02. The Pulumi program reads the same variable. The variable does not set the time of
// day, because names that are generated from the time must differ.
const todayVariable = "PROGRESSIVE_TODAY"

// clockFromEnv returns the stand-in's clock: the clock of the machine, unless todayVariable is
// set.
func clockFromEnv() (func() time.Time, error) {
	today := os.Getenv(todayVariable)
	if today == "" {
		return time.Now, nil
	}
	day, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return nil, fmt.Errorf("%s %q: must be a day such as 2026-12-02", todayVariable, today)
	}
	return clockOnDay(day), nil
}

// clockOnDay returns a clock with the given day and the time of day of the machine.
func clockOnDay(day time.Time) func() time.Time {
	return func() time.Time {
		now := time.Now().UTC()
		return day.Add(now.Sub(now.Truncate(24 * time.Hour)))
	}
}
