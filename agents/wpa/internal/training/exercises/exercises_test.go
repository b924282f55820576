package exercises

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// loadExercises returns the exercises of the table.
func loadExercises(t *testing.T) []Exercise {
	t.Helper()
	exercises, err := Load()
	require.NoError(t, err)
	return exercises
}

func TestTableIsConsistent(t *testing.T) {
	exercises := loadExercises(t)
	require.GreaterOrEqual(t, len(exercises), 120, "weeks need about 120 exercises for variety")
	ids, names := map[string]bool{}, map[string]bool{}
	for _, e := range exercises {
		require.False(t, ids[e.ID], e.ID)
		require.False(t, names[strings.ToLower(e.Name)], e.Name)
		ids[e.ID], names[strings.ToLower(e.Name)] = true, true
		require.NotContains(t, e.Secondary, e.Primary, e.ID)
		require.Equal(t, e.Pattern == Cardio, e.Work == Minutes, e.ID)
		require.Equal(t, e.Pattern == Cardio, e.Primary == Heart, e.ID)
		if e.Work == Reps {
			require.LessOrEqual(t, e.Seconds, 6, e.ID)
		}
	}
}

// TestBeginnerWithoutEquipmentCanTrainEverything checks that a beginner without equipment has an
// exercise for every pattern, and can train every muscle as primary or secondary muscle.
func TestBeginnerWithoutEquipmentCanTrainEverything(t *testing.T) {
	trained := map[Muscle]bool{}
	countByPattern := map[Pattern]int{}
	for _, e := range loadExercises(t) {
		if e.DoableWith(Beginner, nil) {
			countByPattern[e.Pattern]++
			for _, m := range append([]Muscle{e.Primary}, e.Secondary...) {
				trained[m] = true
			}
		}
	}
	for _, p := range patterns {
		require.Positive(t, countByPattern[p], p)
	}
	for _, m := range Muscles {
		require.True(t, trained[m], m)
	}
}

func TestAllEquipmentIsUsed(t *testing.T) {
	for _, name := range Equipment {
		require.True(t, slices.ContainsFunc(loadExercises(t), func(e Exercise) bool { return slices.Contains(e.Needs, name) }), name)
	}
}

func TestExerciseNeedsLevelAndAllEquipment(t *testing.T) {
	press := Exercise{Level: Intermediate, Needs: []string{"barbell", "bench"}}
	require.True(t, press.DoableWith(Advanced, []string{"bench", "barbell"}))
	require.False(t, press.DoableWith(Beginner, []string{"bench", "barbell"}), "above the level")
	require.False(t, press.DoableWith(Advanced, []string{"barbell"}), "all needed equipment must be available")
	require.True(t, press.UsesWeight(), "a barbell has a weight")
	require.False(t, (&Exercise{Needs: []string{"pull_up_bar"}}).UsesWeight(), "a pull-up bar has no weight")
}

func TestInvalidRowIsNamedInTheError(t *testing.T) {
	const header = "id,name,pattern,primary,secondary,equipment,level,unilateral,work,seconds\n"
	for _, row := range []struct{ line, message string }{
		{"x,X,jump,chest,,,beginner,no,reps,3", `exercise table, row 2 (x): pattern "jump" must be one of`},
		{"x,X,push,heel,,,beginner,no,reps,3", `muscle "heel" must be one of`},
		{"x,X,push,chest,,sofa,beginner,no,reps,3", `equipment "sofa" must be one of`},
		{"x,X,push,chest,,,expert,no,reps,3", `level "expert" must be`},
		{"x,X,push,chest,,,beginner,no,sets,3", `work "sets" must be`},
		{"x,X,push,chest,,,beginner,no,reps,0", `seconds "0" must be`},
	} {
		_, err := readTable(strings.NewReader(header + row.line))
		require.ErrorContains(t, err, row.message)
	}
}
