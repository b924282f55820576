package aws

import (
	"fmt"
	"os"
	"time"
)

// todayVariable sets the day of the stand-in's clock, such as 2026-12-02. The program
// under test reads the same variable. The time of day advances as usual, because
// generated names contain it.
const todayVariable = "PROGRESSIVE_TODAY"

// clock returns the stand-in's clock: the machine's, unless todayVariable is set.
func clock() (func() time.Time, error) {
	set := os.Getenv(todayVariable)
	if set == "" {
		return time.Now, nil
	}
	day, err := time.Parse(time.DateOnly, set)
	if err != nil {
		return nil, fmt.Errorf("%s %q: must be a day such as 2026-12-02", todayVariable, set)
	}
	return clockOnDay(day), nil
}

// clockOnDay returns a clock that stays on one day.
func clockOnDay(day time.Time) func() time.Time {
	return func() time.Time {
		now := time.Now().UTC()
		return day.Add(now.Sub(now.Truncate(24 * time.Hour)))
	}
}
