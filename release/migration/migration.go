// Package migration checks the steps of PostgreSQL's schema. It finds which steps a release adds, and
// whether older programs still work after these steps. An older program uses the newer schema during
// a rollout, and after a rollback.
//
// The package knows the statements that only add something. Every other statement is a fault, even if
// it would break nothing. A person then decides whether to permit it. The package only reads the
// steps; package pgschema applies them.
package migration

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Folder is the folder of the steps in the repository.
const Folder = "agents/migrate/pgschema/migrations"

// Steps are the steps of a commit: their text by the name of the file.
type Steps map[string]string

// Names lists the steps in their order.
func (s Steps) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Newest returns the last step, or an empty string.
func (s Steps) Newest() string {
	if names := s.Names(); len(names) > 0 {
		return names[len(names)-1]
	}
	return ""
}

// Added returns the steps of after that before does not have. It returns an error if a step of before
// is changed or missing in after. Databases have run that step already, and would not run it again.
func Added(before, after Steps) (Steps, error) {
	var changed []string
	for _, name := range before.Names() {
		if text, ok := after[name]; !ok || text != before[name] {
			changed = append(changed, name)
		}
	}
	if len(changed) > 0 {
		return nil, fmt.Errorf("%s: changed or gone, although databases have run it: add a new step instead", strings.Join(changed, ", "))
	}
	added := Steps{}
	for name, text := range after {
		if _, ok := before[name]; !ok {
			added[name] = text
		}
	}
	return added, nil
}

// Fault is a statement that may break an older program.
type Fault struct {
	// Step is the name of the step's file.
	Step string
	// Statement is the beginning of the statement, in upper case.
	Statement string
	// Why says how the statement may break an older program.
	Why string
}

// String returns the step, the statement and why it is a fault.
func (f Fault) String() string { return fmt.Sprintf("%s: %s: %s", f.Step, f.Statement, f.Why) }

// maxShown is the largest number of characters in Fault.Statement.
const maxShown = 60

// Faults returns the statements of the steps that do more than add, in their order.
func Faults(steps Steps) []Fault {
	var faults []Fault
	created := map[string]bool{} // the tables that these steps create: no older program uses them
	for _, step := range steps.Names() {
		list := statements(up(steps[step]))
		if len(list) == 0 {
			faults = append(faults, Fault{step, "", "it has no statement after -- +goose Up"})
		}
		for _, statement := range list {
			if m := createTable.FindStringSubmatch(statement); m != nil {
				created[m[1]] = true
			}
			if harm := harmOf(statement, created, list); harm != "" {
				shown, _, _ := strings.Cut(statement, "(")
				faults = append(faults, Fault{step, fmt.Sprintf("%.*s", maxShown, strings.TrimSpace(shown)), harm})
			}
		}
	}
	return faults
}

// name matches the name of a table or an index, with or without its schema.
const name = `([A-Z0-9_.]+|"[^"]+")`

var (
	createTable = regexp.MustCompile(`^CREATE TABLE (?:IF NOT EXISTS )?` + name)
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?` + name + ` ON (?:ONLY )?` + name)
	dropIndex   = regexp.MustCompile(`^DROP INDEX (?:CONCURRENTLY )?(?:IF EXISTS )?` + name + `$`)
	alterTable  = regexp.MustCompile(`^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?` + name + ` (.*)$`)
	insert      = regexp.MustCompile(`^INSERT INTO ` + name)
	addColumn   = regexp.MustCompile(`^ADD COLUMN `)
	notNull     = regexp.MustCompile(`\bNOT NULL\b`)
	defaulted   = regexp.MustCompile(`\bDEFAULT\b|\bGENERATED\b`)
	unique      = regexp.MustCompile(`\bUNIQUE\b|\bPRIMARY KEY\b`)

	// additive matches statements that create something, and change nothing that exists.
	additive = regexp.MustCompile(`^(CREATE (TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|SEQUENCE|SCHEMA|TYPE|EXTENSION)|COMMENT ON|GRANT|SET|RESET|ANALYZE)\b`)
)

// harms has the reason why a statement is a fault, by its kind. The first pattern that matches counts.
// The last one matches every statement.
var harms = []struct {
	statement *regexp.Regexp
	why       string
}{
	{regexp.MustCompile(`^(DROP|TRUNCATE|DELETE)\b`), "it removes what an older program may use"},
	{regexp.MustCompile(`\bRENAME\b`), "an older program uses the old name"},
	{regexp.MustCompile(`^UPDATE\b`), "it changes rows that an older program may read"},
	{regexp.MustCompile(`^CREATE OR REPLACE\b`), "it changes what an older program may call"},
	{regexp.MustCompile(``), "it is none of the statements that are known to add only"},
}

// harmOf returns how a statement may break an older program, or "" if it only adds something. created
// has the new tables. list has all statements of the same step.
func harmOf(statement string, created map[string]bool, list []string) string {
	if m := createIndex.FindStringSubmatch(statement); m != nil {
		if m[1] == "" || created[m[3]] {
			return ""
		}
		return "an older program may write a value twice"
	}
	// A step may drop the index that it creates. If a concurrent build is interrupted, it leaves an
	// invalid index. So such steps drop their own index first.
	if m := dropIndex.FindStringSubmatch(statement); m != nil && slices.ContainsFunc(list, func(s string) bool {
		c := createIndex.FindStringSubmatch(s)
		return c != nil && c[2] == m[1]
	}) {
		return ""
	}
	if m := insert.FindStringSubmatch(statement); m != nil && created[m[1]] {
		return ""
	}
	if m := alterTable.FindStringSubmatch(statement); m != nil {
		if created[m[1]] {
			return ""
		}
		return harmOfAlter(m[2])
	}
	if additive.MatchString(statement) {
		return ""
	}
	return knownHarm(statement)
}

// harmOfAlter returns how ALTER TABLE with these actions may break an older program. The table exists
// already. The result is "" if the actions only add columns that an older program need not know.
func harmOfAlter(actions string) string {
	for _, action := range splitActions(actions) {
		switch {
		case !addColumn.MatchString(action):
			return knownHarm(action)
		case unique.MatchString(action):
			return "an older program may write a value twice"
		case notNull.MatchString(action) && !defaulted.MatchString(action):
			return "an older program does not write the new column, which has no default"
		}
	}
	return ""
}

// knownHarm returns the reason of the first pattern in harms that matches.
func knownHarm(statement string) string {
	for _, h := range harms {
		if h.statement.MatchString(statement) {
			return h.why
		}
	}
	return ""
}
