// Package migration checks the steps of PostgreSQL's schema. It finds which steps a release adds,
// and whether older programs still work after these steps. An older program uses the newer schema
// during a rollout, and after a rollback.
//
// The package has a list of the kinds of statements that only add something. Every other statement
// counts as unsafe, even if it would break nothing. A person then decides whether to permit it. The
// package only reads the steps; package pgschema applies them.
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

// Newest returns the name of the last step, or "" if there are no steps.
func (s Steps) Newest() string {
	if names := s.Names(); len(names) > 0 {
		return names[len(names)-1]
	}
	return ""
}

// Added returns the steps that are in after and not in before. It returns an error if a step of
// before is changed or missing in after. Databases have run that step already, and would not run it
// again.
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

// UnsafeStatement is a statement that may break an older program.
type UnsafeStatement struct {
	// Step is the name of the step's file.
	Step string
	// Statement is the beginning of the statement, in upper case.
	Statement string
	// Why says how the statement may break an older program.
	Why string
}

// String returns the step, the statement and why it is unsafe.
func (s UnsafeStatement) String() string {
	return fmt.Sprintf("%s: %s: %s", s.Step, s.Statement, s.Why)
}

// maxShown is the largest number of characters in UnsafeStatement.Statement.
const maxShown = 60

// FindUnsafe returns the statements that are not known to be safe for an older program, in the order of
// the steps. A step without statements is also unsafe.
func FindUnsafe(steps Steps) []UnsafeStatement {
	var unsafeStatements []UnsafeStatement
	created := map[string]bool{} // the tables that these steps create: no older program uses them
	for _, step := range steps.Names() {
		stepStatements := splitStatements(cutUpSection(steps[step]))
		if len(stepStatements) == 0 {
			unsafeStatements = append(unsafeStatements, UnsafeStatement{step, "", "it has no statement after -- +goose Up"})
		}
		for _, statement := range stepStatements {
			if match := createTable.FindStringSubmatch(statement); match != nil {
				created[match[1]] = true
			}
			if harm := findHarm(statement, created, stepStatements); harm != "" {
				summary, _, _ := strings.Cut(statement, "(")
				unsafeStatements = append(unsafeStatements, UnsafeStatement{step, fmt.Sprintf("%.*s", maxShown, strings.TrimSpace(summary)), harm})
			}
		}
	}
	return unsafeStatements
}

// namePattern matches the name of a table or an index, with or without its schema.
const namePattern = `([A-Z0-9_.]+|"[^"]+")`

var (
	createTable = regexp.MustCompile(`^CREATE TABLE (?:IF NOT EXISTS )?` + namePattern)
	// createIndex has the groups UNIQUE, the name of the index, and the name of the table.
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?` + namePattern + ` ON (?:ONLY )?` + namePattern)
	dropIndex   = regexp.MustCompile(`^DROP INDEX (?:CONCURRENTLY )?(?:IF EXISTS )?` + namePattern + `$`)
	alterTable  = regexp.MustCompile(`^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?` + namePattern + ` (.*)$`)
	insert      = regexp.MustCompile(`^INSERT INTO ` + namePattern)
	addColumn   = regexp.MustCompile(`^ADD COLUMN `)
	notNull     = regexp.MustCompile(`\bNOT NULL\b`)
	hasDefault  = regexp.MustCompile(`\bDEFAULT\b|\bGENERATED\b`)
	unique      = regexp.MustCompile(`\bUNIQUE\b|\bPRIMARY KEY\b`)

	// additive matches statements that create something, and change nothing that exists.
	additive = regexp.MustCompile(`^(CREATE (TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|SEQUENCE|SCHEMA|TYPE|EXTENSION)|COMMENT ON|GRANT|SET|RESET|ANALYZE)\b`)
)

// harmPatterns has the reason why a statement is unsafe, by its kind. The first pattern that
// matches gives the reason. The last pattern matches every statement.
var harmPatterns = []struct {
	statement *regexp.Regexp
	why       string
}{
	{regexp.MustCompile(`^(DROP|TRUNCATE|DELETE)\b`), "it removes what an older program may use"},
	{regexp.MustCompile(`\bRENAME\b`), "an older program uses the old name"},
	{regexp.MustCompile(`^UPDATE\b`), "it changes rows that an older program may read"},
	{regexp.MustCompile(`^CREATE OR REPLACE\b`), "it changes what an older program may call"},
	{regexp.MustCompile(``), "it is none of the statements that are known to add only"},
}

// findHarm returns how a statement may break an older program, or "" if it only adds something.
// created has the tables that the steps create. stepStatements has all statements of the same step.
func findHarm(statement string, created map[string]bool, stepStatements []string) string {
	if match := createIndex.FindStringSubmatch(statement); match != nil {
		isUnique, tableIsNew := match[1] != "", created[match[3]]
		if isUnique && !tableIsNew {
			return "an older program may write a value twice"
		}
		return ""
	}
	// A step may drop the index that it creates. If a concurrent build is interrupted, it leaves an
	// invalid index. So such steps drop their own index first.
	if match := dropIndex.FindStringSubmatch(statement); match != nil && createsIndex(stepStatements, match[1]) {
		return ""
	}
	if match := insert.FindStringSubmatch(statement); match != nil && created[match[1]] {
		return ""
	}
	if match := alterTable.FindStringSubmatch(statement); match != nil {
		if created[match[1]] {
			return ""
		}
		return findAlterTableHarm(match[2])
	}
	if additive.MatchString(statement) {
		return ""
	}
	return findHarmByPattern(statement)
}

// createsIndex reports whether one of the statements creates the index.
func createsIndex(statements []string, index string) bool {
	return slices.ContainsFunc(statements, func(statement string) bool {
		match := createIndex.FindStringSubmatch(statement)
		return match != nil && match[2] == index
	})
}

// findAlterTableHarm returns how ALTER TABLE with these actions may break an older program. The
// table exists already. The result is "" if the actions only add columns that an older program
// need not know.
func findAlterTableHarm(actions string) string {
	for _, action := range splitActions(actions) {
		switch {
		case !addColumn.MatchString(action):
			return findHarmByPattern(action)
		case unique.MatchString(action):
			return "an older program may write a value twice"
		case notNull.MatchString(action) && !hasDefault.MatchString(action):
			return "an older program does not write the new column, which has no default"
		}
	}
	return ""
}

// findHarmByPattern returns the reason of the first pattern in harmPatterns that matches.
func findHarmByPattern(statement string) string {
	for _, pattern := range harmPatterns {
		if pattern.statement.MatchString(statement) {
			return pattern.why
		}
	}
	return ""
}
