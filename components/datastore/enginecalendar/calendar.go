// Package enginecalendar owns AWS's release calendars of the managed stores: the dates on
// which standard support of each version of PostgreSQL, Redis, Valkey and DocumentDB ends. It
// imports no SDK.
package enginecalendar

import (
	"strings"
	"time"
)

// Notice is the time for which the standard support of a version must still last: the platform's
// choice. It is long, because a major upgrade needs a rehearsal on a copy of the data.
const Notice = 180 * 24 * time.Hour

// Engine is the engine of a store, as AWS's APIs name it.
type Engine string

// The engines.
const (
	PostgreSQL Engine = "postgres" // RDS
	Redis      Engine = "redis"    // ElastiCache for Redis OSS
	Valkey     Engine = "valkey"   // ElastiCache for Valkey
	DocumentDB Engine = "docdb"
)

// notAnnounced is the end of support of a version for which AWS has announced no end.
var notAnnounced time.Time

// calendars has the end of standard support of each version, 00:00 UTC of AWS's date.
// Afterwards AWS charges for extended support. The row of "7" is also for longer
// versions that begin with it, such as "7.1".
//
// Sources, read on 2026-11-29. endoflife-date/endoflife.date copies AWS's tables:
//   - PostgreSQL: products/amazon-rds-postgresql.md, as of 2025-02 (RDS for PostgreSQL
//     Release Notes, "Release calendar"). 18 is missing: no dated source was found.
//   - Redis and Valkey: products/amazon-elasticache-redis.md and
//     products/amazon-elasticache-valkey.md, as of 2026 (ElastiCache User Guide, "Engine
//     versions", "End of life schedule"). "ElastiCache Extended Support pricing" of the same
//     guide also has the end of Redis 6.
//   - DocumentDB: products/amazon-documentdb.md (DocumentDB Developer Guide, "Engine
//     version support dates"). "Using a long-term support (LTS) release" names 8.0.
var calendars = map[Engine]map[string]time.Time{
	PostgreSQL: {
		"13": date(2026, time.February, 28),
		"14": date(2027, time.February, 28),
		"15": date(2028, time.February, 29),
		"16": date(2029, time.February, 28),
		"17": date(2030, time.February, 28),
	},
	Redis: {
		"4": date(2026, time.January, 31),
		"5": date(2026, time.January, 31),
		"6": date(2027, time.January, 31),
		"7": notAnnounced,
	},
	Valkey: {"7.2": notAnnounced, "8.0": notAnnounced, "8.1": notAnnounced, "8.2": notAnnounced},
	DocumentDB: {
		"3.6": date(2026, time.March, 30),
		"4.0": notAnnounced,
		"5.0": notAnnounced,
		"8.0": notAnnounced,
	},
}

// date returns 00:00 UTC of a day.
func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// IsSupported reports whether the standard support of a version such as "17" or "5.0.0" lasts
// longer than Notice from today. It returns false for a version that no calendar has.
func IsSupported(engine Engine, version string, today time.Time) bool {
	for listed, end := range calendars[engine] {
		if version == listed || strings.HasPrefix(version, listed+".") {
			return end.Equal(notAnnounced) || today.Add(Notice).Before(end)
		}
	}
	return false
}
