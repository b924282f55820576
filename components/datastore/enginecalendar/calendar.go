// Package rdscalendar owns RDS's release calendar: until when AWS supports a major
// version of PostgreSQL. It is pure.
package rdscalendar

import "time"

// Notice is how long before an end of support a version is reported: a major upgrade
// needs a rehearsal on a copy of the data.
const Notice = 180 * 24 * time.Hour

// standard is the end of standard support by major version, 00:00 UTC of AWS's date
// (RDS for PostgreSQL Release Notes, "Release calendar"; read in endoflife-date's copy,
// products/amazon-rds-postgresql.md, of 2025-02). Afterwards AWS asks more for each core.
var standard = map[string]time.Time{
	"14": endOfFebruary(2027),
	"15": endOfFebruary(2028),
	"16": endOfFebruary(2029),
	"17": endOfFebruary(2030),
}

// endOfFebruary is the day before the first of March.
func endOfFebruary(year int) time.Time {
	return time.Date(year, time.March, 0, 0, 0, 0, 0, time.UTC)
}

// StandardEnd returns the end of standard support of a major version such as "17";
// false if it is not known.
func StandardEnd(major string) (time.Time, bool) {
	end, known := standard[major]
	return end, known
}
