// Package exercises is the table of exercises: movement pattern, muscles, equipment,
// difficulty and time. It owns the table, and the rule that decides whether a person can do
// an exercise. Package program plans sessions with the exercises.
//
// The table was written for this package, from common knowledge of strength training.
// Names and muscles follow the usual textbooks (NSCA, Essentials of Strength Training and
// Conditioning, 4th edition). A repetition takes 2 to 6 seconds. Within this range the
// speed hardly changes the growth of muscles (Schoenfeld, Ogborn and Krieger, Sports Med 45
// (2015) 577).
package exercises

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Pattern is the movement that an exercise trains.
type Pattern string

// The patterns.
const (
	Push   Pattern = "push"
	Pull   Pattern = "pull"
	Squat  Pattern = "squat"
	Hinge  Pattern = "hinge"
	Lunge  Pattern = "lunge"
	Core   Pattern = "core"
	Carry  Pattern = "carry"
	Cardio Pattern = "cardio"
)

var patterns = []Pattern{Push, Pull, Squat, Hinge, Lunge, Core, Carry, Cardio}

// Muscle is a muscle group.
type Muscle string

// Heart is the muscle of cardio exercises.
const Heart Muscle = "heart"

// Muscles lists the groups for which sets are counted.
var Muscles = []Muscle{"chest", "back", "shoulders", "biceps", "triceps", "forearms", "quads", "hamstrings", "glutes", "calves", "core"}

// Level is the difficulty of an exercise, and the experience of a person.
type Level int

// The levels, easiest first.
const (
	Beginner Level = iota
	Intermediate
	Advanced
)

// Levels are the levels by name.
var Levels = map[string]Level{"beginner": Beginner, "intermediate": Intermediate, "advanced": Advanced}

// Equipment lists everything that an exercise may need. Body weight and
// household furniture are always available.
var Equipment = []string{
	"dumbbells", "barbell", "kettlebell", "resistance_bands", "pull_up_bar", "dip_bars", "bench", "rack", "cable_machine",
	"machines", "suspension_trainer", "jump_rope", "rowing_machine", "exercise_bike", "treadmill",
}

// Work is the unit in which an exercise is measured.
type Work string

// The units of work.
const (
	Reps    Work = "reps"    // repetitions in each set
	Hold    Work = "time"    // seconds that a position is held in each set
	Minutes Work = "minutes" // minutes, without sets
)

// Exercise is a row of the table.
type Exercise struct {
	ID, Name   string
	Pattern    Pattern
	Primary    Muscle
	Secondary  []Muscle
	Needs      []string // elements of Equipment; all are needed
	Level      Level
	Unilateral bool // each set is done once for each side
	Work       Work
	Seconds    int // the time of one repetition, or of one set that is held
}

// UsesWeight reports whether the exercise uses a weight that can be increased.
func (e *Exercise) UsesWeight() bool {
	return slices.ContainsFunc(e.Needs, func(need string) bool {
		return slices.Contains([]string{"dumbbells", "barbell", "kettlebell", "cable_machine", "machines"}, need)
	})
}

// DoableWith reports whether a person of the level with the equipment can do
// the exercise.
func (e *Exercise) DoableWith(level Level, equipment []string) bool {
	isMissing := func(need string) bool { return !slices.Contains(equipment, need) }
	return e.Level <= level && !slices.ContainsFunc(e.Needs, isMissing)
}

//go:embed exercises.csv
var tableCSV []byte

// Load reads the embedded table.
func Load() ([]Exercise, error) { return readTable(bytes.NewReader(tableCSV)) }

// readTable parses the table. Its first row has the names of the columns.
func readTable(r io.Reader) ([]Exercise, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = 10
	records, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the exercise table: %w", err)
	}
	var exercises []Exercise
	for i, record := range records[1:] {
		e, err := parseExercise(record)
		if err != nil {
			return nil, fmt.Errorf("exercise table, row %d (%s): %w", i+2, record[0], err)
		}
		exercises = append(exercises, e)
	}
	return exercises, nil
}

// parseExercise converts a row of the exercise table.
func parseExercise(record []string) (Exercise, error) {
	level, known := Levels[record[6]]
	if !known {
		return Exercise{}, fmt.Errorf("level %q must be beginner, intermediate or advanced", record[6])
	}
	seconds, err := strconv.Atoi(record[9])
	if err != nil || seconds < 1 {
		return Exercise{}, fmt.Errorf("seconds %q must be a whole number of at least 1", record[9])
	}
	e := Exercise{
		ID: record[0], Name: record[1], Pattern: Pattern(record[2]), Primary: Muscle(record[3]),
		Needs: splitList(record[5]), Level: level, Unilateral: record[7] == "yes", Work: Work(record[8]), Seconds: seconds,
	}
	for _, muscle := range splitList(record[4]) {
		e.Secondary = append(e.Secondary, Muscle(muscle))
	}
	for _, muscle := range append([]Muscle{e.Primary}, e.Secondary...) {
		if muscle != Heart && !slices.Contains(Muscles, muscle) {
			return e, fmt.Errorf("muscle %q must be one of %v", muscle, Muscles)
		}
	}
	for _, need := range e.Needs {
		if !slices.Contains(Equipment, need) {
			return e, fmt.Errorf("equipment %q must be one of %v", need, Equipment)
		}
	}
	if !slices.Contains(patterns, e.Pattern) {
		return e, fmt.Errorf("pattern %q must be one of %v", e.Pattern, patterns)
	}
	if !slices.Contains([]Work{Reps, Hold, Minutes}, e.Work) {
		return e, fmt.Errorf("work %q must be reps, time or minutes", e.Work)
	}
	return e, nil
}

// splitList splits a list in a field of the table. Its elements are separated by "|".
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '|' })
}
