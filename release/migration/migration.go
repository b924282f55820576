// Package migration judges the steps of PostgreSQL's schema: which steps a release adds, and
// whether a program that does not know them still works after them. While a rollout lasts, and
// after a rollback, the older program meets the newer schema.
//
// It knows the statements that only add. Every other statement is a fault, also one that
// would do no harm: a person permits it. It is pure; package pgschema applies the steps.
package migration

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Folder is where a project has the steps.
const Folder = "agents/migrate/pgschema/migrations"

// Steps are the steps of a commit: their text by the name of the file.
type Steps map[string]string

// Names lists the steps in their order.
func (s Steps) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Newest returns the last step, or an empty text.
func (s Steps) Newest() string {
	if names := s.Names(); len(names) > 0 {
		return names[len(names)-1]
	}
	return ""
}

// Added returns the steps that after has and before does not. It is an error if a step of
// before is changed or gone: it has run already, and no database would run it again.
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

// Fault is a statement that an older program may not survive.
type Fault struct {
	// Step is the file's name.
	Step string
	// Statement is its beginning, in upper case.
	Statement string
	Why       string
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s: %s", f.Step, f.Statement, f.Why) }

// maxShown is how many characters of a statement a fault has.
const maxShown = 60

// Faults returns the statements of steps that do more than to add, in their order.
func Faults(steps Steps) []Fault {
	var faults []Fault
	tables := map[string]bool{} // created by these steps: no older program uses them
	for _, step := range steps.Names() {
		list := statements(up(steps[step]))
		if len(list) == 0 {
			faults = append(faults, Fault{step, "", "it has no statement after -- +goose Up"})
		}
		for _, statement := range list {
			if m := createTable.FindStringSubmatch(statement); m != nil {
				tables[m[1]] = true
			}
			if why := judge(statement, tables, list); why != "" {
				shown, _, _ := strings.Cut(statement, "(")
				faults = append(faults, Fault{step, fmt.Sprintf("%.*s", maxShown, strings.TrimSpace(shown)), why})
			}
		}
	}
	return faults
}

// name is a table or an index, with its schema or without.
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

	// adds are statements that change nothing that exists.
	adds = regexp.MustCompile(`^(CREATE (TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|SEQUENCE|SCHEMA|TYPE|EXTENSION)|COMMENT ON|GRANT|SET|RESET|ANALYZE)\b`)
)

// harms are reasons for the statements that a person meets most, by their beginning. The
// first that matches is taken.
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

// judge returns why an older program may not survive a statement, or nothing. list are the
// statements of the same step.
func judge(statement string, created map[string]bool, list []string) string {
	if m := createIndex.FindStringSubmatch(statement); m != nil {
		if m[1] == "" || created[m[3]] {
			return ""
		}
		return "an older program may write a value twice"
	}
	// A concurrent build that was interrupted leaves an invalid index, so a step drops its own
	// index before it builds it.
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
		return judgeAlter(m[2], created[m[1]])
	}
	if adds.MatchString(statement) {
		return ""
	}
	return harm(statement)
}

// judgeAlter judges the actions of ALTER TABLE.
func judgeAlter(actions string, created bool) string {
	if created {
		return ""
	}
	for _, action := range parts(actions) {
		switch {
		case !addColumn.MatchString(action):
			return harm(action)
		case unique.MatchString(action):
			return "an older program may write a value twice"
		case notNull.MatchString(action) && !defaulted.MatchString(action):
			return "an older program does not write the new column, which has no default"
		}
	}
	return ""
}

func harm(statement string) string {
	for _, h := range harms {
		if h.statement.MatchString(statement) {
			return h.why
		}
	}
	return ""
}
