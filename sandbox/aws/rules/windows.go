package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The minimum length, in minutes, of backup and maintenance windows. The sources are
// API_CreateDBInstance.html and API_CreateReplicationGroup.html. A daily window has the
// form hh24:mi-hh24:mi, and a weekly window the form ddd:hh24:mi-ddd:hh24:mi. Both are in
// UTC.
const (
	minDatabaseWindow = 30 // RDS and DocumentDB
	minCacheWindow    = 60 // ElastiCache
)

const (
	minutesPerDay  = 24 * 60
	minutesPerWeek = 7 * minutesPerDay
)

var (
	weekdays     = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	dailyFormat  = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)
	weeklyFormat = regexp.MustCompile(`^([a-z]{3}):([01]\d|2[0-3]):([0-5]\d)-([a-z]{3}):([01]\d|2[0-3]):([0-5]\d)$`)
	sameWindow   = strings.EqualFold // AWS returns weekdays in lower case
)

// span is a window: its start, in minutes since the start of the day or week, and its
// length in minutes.
type span struct{ start, length int }

// parseDaily parses a daily window; ok is false if the format is wrong.
func parseDaily(s string) (w span, ok bool) {
	m := dailyFormat.FindStringSubmatch(s)
	if m == nil {
		return span{}, false
	}
	start, end := minutesSinceMidnight(m[1], m[2]), minutesSinceMidnight(m[3], m[4])
	return span{start, (end - start + minutesPerDay) % minutesPerDay}, true
}

// parseWeekly parses a weekly window; ok is false if the format is wrong.
func parseWeekly(s string) (w span, ok bool) {
	m := weeklyFormat.FindStringSubmatch(strings.ToLower(s))
	if m == nil || !slices.Contains(weekdays, m[1]) || !slices.Contains(weekdays, m[4]) {
		return span{}, false
	}
	start := slices.Index(weekdays, m[1])*minutesPerDay + minutesSinceMidnight(m[2], m[3])
	end := slices.Index(weekdays, m[4])*minutesPerDay + minutesSinceMidnight(m[5], m[6])
	return span{start, (end - start + minutesPerWeek) % minutesPerWeek}, true
}

// minutesSinceMidnight returns the number of minutes from midnight to a time.
func minutesSinceMidnight(hours, minutes string) int {
	hour, _ := strconv.Atoi(hours) // the format was checked
	minute, _ := strconv.Atoi(minutes)
	return hour*60 + minute
}

// checkDailyWindow returns a validator of daily windows with a minimum length in minutes.
func checkDailyWindow(minLength int) func(any) string {
	return checkWindow(parseDaily, "hh24:mi-hh24:mi", minLength)
}

// checkWeeklyWindow returns a validator of weekly windows with a minimum length in minutes.
func checkWeeklyWindow(minLength int) func(any) string {
	return checkWindow(parseWeekly, "ddd:hh24:mi-ddd:hh24:mi", minLength)
}

// checkWindow returns a validator of windows with a minimum length in minutes. parse parses a
// window. format is the format of a window, for messages.
func checkWindow(parse func(string) (span, bool), format string, minLength int) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		w, ok := parse(s)
		switch {
		case !ok:
			return fmt.Sprintf("%q must satisfy the format of %q", s, format)
		case w.length < minLength:
			return fmt.Sprintf("%q has %d minutes, must have %d or more", s, w.length, minLength)
		}
		return ""
	}
}

// windowsOverlap reports whether a daily and a weekly window have a minute in common.
func windowsOverlap(dailyWindow, weeklyWindow string) bool {
	daily, dailyOK := parseDaily(dailyWindow)
	weekly, weeklyOK := parseWeekly(weeklyWindow)
	if !dailyOK || !weeklyOK {
		return false
	}
	// minutesBetween returns the minutes from start to end. end may be in the next week.
	minutesBetween := func(start, end int) int { return (end - start + minutesPerWeek) % minutesPerWeek }
	for weekday := range weekdays {
		start := weekday*minutesPerDay + daily.start
		// Two windows overlap if one of them begins during the other.
		if minutesBetween(weekly.start, start) < weekly.length || minutesBetween(start, weekly.start) < daily.length {
			return true
		}
	}
	return false
}

// verifyWindows returns an error if the backup window and the maintenance window overlap.
// backup and maintenance are the names of the properties.
func verifyWindows(c *Call, backup, maintenance string) error {
	if day, week := c.In.String(backup), c.In.String(maintenance); windowsOverlap(day, week) {
		return refuse("InvalidParameterValue", "The backup window and maintenance window must not overlap: %s and %s", day, week)
	}
	return nil
}
