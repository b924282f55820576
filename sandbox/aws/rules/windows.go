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
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

var (
	weekdays    = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	dailyForm   = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$`)
	weeklyForm  = regexp.MustCompile(`^([a-z]{3}):([01]\d|2[0-3]):([0-5]\d)-([a-z]{3}):([01]\d|2[0-3]):([0-5]\d)$`)
	sameWeekday = strings.EqualFold // AWS returns weekdays in lower case
)

// span is a window: its start, in minutes since the start of the day or week, and its
// length in minutes.
type span struct{ start, length int }

// parseDaily parses a daily window; ok is false if the format is wrong.
func parseDaily(s string) (w span, ok bool) {
	m := dailyForm.FindStringSubmatch(s)
	if m == nil {
		return span{}, false
	}
	from, to := minutesOf(m[1], m[2]), minutesOf(m[3], m[4])
	return span{from, (to - from + dayMinutes) % dayMinutes}, true
}

// parseWeekly parses a weekly window; ok is false if the format is wrong.
func parseWeekly(s string) (w span, ok bool) {
	m := weeklyForm.FindStringSubmatch(strings.ToLower(s))
	if m == nil || !slices.Contains(weekdays, m[1]) || !slices.Contains(weekdays, m[4]) {
		return span{}, false
	}
	from := slices.Index(weekdays, m[1])*dayMinutes + minutesOf(m[2], m[3])
	to := slices.Index(weekdays, m[4])*dayMinutes + minutesOf(m[5], m[6])
	return span{from, (to - from + weekMinutes) % weekMinutes}, true
}

// minutesOf returns the minutes of a time since midnight.
func minutesOf(hours, minutes string) int {
	h, _ := strconv.Atoi(hours) // the format was checked
	m, _ := strconv.Atoi(minutes)
	return h*60 + m
}

// daily returns a validator of daily windows with a minimum length in minutes.
func daily(minLength int) func(any) string {
	return window(parseDaily, "hh24:mi-hh24:mi", minLength)
}

// weekly returns a validator of weekly windows with a minimum length in minutes.
func weekly(minLength int) func(any) string {
	return window(parseWeekly, "ddd:hh24:mi-ddd:hh24:mi", minLength)
}

// window returns a validator of windows with a minimum length in minutes. parse parses a
// window. form is the form of a window, for messages.
func window(parse func(string) (span, bool), form string, minLength int) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		w, ok := parse(s)
		switch {
		case !ok:
			return fmt.Sprintf("%q must satisfy the format of %q", s, form)
		case w.length < minLength:
			return fmt.Sprintf("%q has %d minutes, must have %d or more", s, w.length, minLength)
		}
		return ""
	}
}

// windowsOverlap reports whether a daily and a weekly window have a minute in common.
func windowsOverlap(day, week string) bool {
	d, okDay := parseDaily(day)
	w, okWeek := parseWeekly(week)
	if !okDay || !okWeek {
		return false
	}
	// Two windows overlap if one of them begins during the other.
	// minutesAfter returns the minutes from the time from until the time to, which may be in
	// the next week.
	minutesAfter := func(from, to int) int { return (to - from + weekMinutes) % weekMinutes }
	for weekday := range weekdays {
		start := weekday*dayMinutes + d.start
		if minutesAfter(w.start, start) < w.length || minutesAfter(start, w.start) < d.length {
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
