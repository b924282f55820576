package aws

import (
	"fmt"
	"os"
	"time"
)

// todayVariable is the environment variable with the day of the stand-in's clock, such as
// 2026-12-02. The Pulumi program reads the same variable. The time of day is the machine's
// and advances, because names that are generated from the time must differ.
const todayVariable = "PROGRESSIVE_TODAY"

// clock returns the stand-in's clock. It is the clock of the machine, unless todayVariable is
// set.
func clock() (func() time.Time, error) {
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

// clockOnDay returns a clock that shows the given day and the machine's time of day.
func clockOnDay(day time.Time) func() time.Time {
	return func() time.Time {
		now := time.Now().UTC()
		return day.Add(now.Sub(now.Truncate(24 * time.Hour)))
	}
}
