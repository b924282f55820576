package foods

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// loadFoods returns the foods of the table.
func loadFoods(t *testing.T) []Food {
	t.Helper()
	foods, err := Load()
	require.NoError(t, err)
	return foods
}

func TestTableHasEnoughFoods(t *testing.T) {
	require.GreaterOrEqual(t, len(loadFoods(t)), 150, "plans need about 150 foods for variety")
}

func TestFoodsAreUnique(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	for _, f := range loadFoods(t) {
		require.False(t, ids[f.ID], f.ID)
		require.False(t, names[strings.ToLower(f.Name)], f.Name)
		ids[f.ID], names[strings.ToLower(f.Name)] = true, true
	}
}

// TestEnergyFollowsAtwater checks the energy with Atwater's general factors: 4 kcal per g of
// protein and carbohydrate, 9 of fat, and 0 to 4 of fibre. The factors of single foods differ
// from these by up to 15 % (Merrill and Watt, USDA Handbook 74).
func TestEnergyFollowsAtwater(t *testing.T) {
	for _, f := range loadFoods(t) {
		n := f.Per100g
		high := 4*n[Protein] + 4*n[Carbohydrate] + 9*n[Fat]
		low := high - 4*n[Fibre]
		slack := math.Max(0.15*n[Energy], 9)
		require.GreaterOrEqual(t, n[Energy], low-slack, f.ID)
		require.LessOrEqual(t, n[Energy], high+slack, f.ID)
	}
}

func TestNutrientsWeighAtMostAsMuchAsTheFood(t *testing.T) {
	for _, f := range loadFoods(t) {
		n := f.Per100g
		require.LessOrEqual(t, n[Protein]+n[Carbohydrate]+n[Fat]+n[Sodium]/1000, 101.0, "%s: 100 g, and 1 g for rounding", f.ID)
		require.LessOrEqual(t, n[Fibre]+n[Sugar], n[Carbohydrate]+1, "%s: fibre and sugar are part of carbohydrate", f.ID)
		require.Positive(t, n[Energy], f.ID)
	}
}

func TestPortionsArePractical(t *testing.T) {
	for _, f := range loadFoods(t) {
		require.Zero(t, math.Mod(f.MinGrams, 5), f.ID)
		require.Zero(t, math.Mod(f.MaxGrams, 5), f.ID)
		require.GreaterOrEqual(t, f.MinGrams, 5.0, f.ID)
		require.Greater(t, f.MaxGrams, f.MinGrams, f.ID)
		require.LessOrEqual(t, f.NutrientsIn(f.MinGrams)[Energy], 200.0, "%s: the smallest portion leaves energy for the other foods of the day", f.ID)
		require.LessOrEqual(t, f.NutrientsIn(f.MaxGrams)[Energy], 600.0, "%s: one item is less than a whole meal", f.ID)
	}
}

// TestGroupsAgreeWithDietAndAllergens checks the diet and the allergens that follow from a
// food's group.
func TestGroupsAgreeWithDietAndAllergens(t *testing.T) {
	impliedAllergen := map[string]Allergen{"dairy": "dairy", "egg": "egg", "fish": "fish", "shellfish": "shellfish", "soy": "soy", "nut": "nuts"}
	impliedDiet := map[string]Diet{"dairy": Vegetarian, "egg": Vegetarian, "fish": Pescatarian, "shellfish": Pescatarian, "meat": Omnivore, "poultry": Omnivore}
	for _, f := range loadFoods(t) {
		if a, known := impliedAllergen[f.Group]; known {
			require.Contains(t, f.Allergens, a, f.ID)
		}
		if diet, known := impliedDiet[f.Group]; known {
			require.Equal(t, diet, f.Diet, f.ID)
		} else {
			require.LessOrEqual(t, f.Diet, Vegetarian, f.ID)
		}
		for _, animal := range []Allergen{"dairy", "egg", "fish", "shellfish"} {
			require.False(t, f.Diet == Vegan && slices.Contains(f.Allergens, animal), f.ID)
		}
	}
}

// TestNamesImplyAllergens checks that a food has the allergens that its name implies, such as
// gluten for bread.
func TestNamesImplyAllergens(t *testing.T) {
	for word, allergen := range map[string]Allergen{
		"oats, rolled": "gluten", "oatmeal": "gluten", "shredded wheat": "gluten", "whole-wheat": "gluten", "rye bread": "gluten", "barley": "gluten", "spelt": "gluten",
		"couscous": "gluten", "bulgur": "gluten", "seitan": "gluten", "muesli": "gluten", "granola": "gluten", "pasta": "gluten",
		"bread": "gluten", "whole milk": "dairy", "skim milk": "dairy", "yogurt": "dairy", "cheese": "dairy", "whey": "dairy",
		"kefir": "dairy", "ricotta": "dairy", "mozzarella": "dairy", "egg,": "egg", "peanut": "peanut", "almond": "nuts",
		"walnut": "nuts", "cashew": "nuts", "pecan": "nuts", "hazelnut": "nuts", "pistachio": "nuts", "tofu": "soy", "soy": "soy",
		"edamame": "soy", "tempeh": "soy", "sesame": "sesame", "tahini": "sesame", "hummus": "sesame",
	} {
		found := false
		for _, f := range loadFoods(t) {
			if strings.Contains(strings.ToLower(f.Name), word) {
				found = true
				require.Contains(t, f.Allergens, allergen, f.ID)
			}
		}
		require.True(t, found, "no food has %q in its name, so this row tests nothing", word)
	}
}

func TestFoodIsAllowedByDietAndAllergens(t *testing.T) {
	tofu := Food{Diet: Vegan, Allergens: []Allergen{"soy"}}
	for _, row := range []struct {
		reason string
		diet   Diet
		avoid  []Allergen
		want   bool
	}{
		{"vegan", Vegan, nil, true},
		{"omnivore with another allergy", Omnivore, []Allergen{"dairy"}, true},
		{"allergic to soy", Omnivore, []Allergen{"dairy", "soy"}, false},
	} {
		require.Equal(t, row.want, tofu.AllowedTo(row.diet, row.avoid), row.reason)
	}
	require.False(t, (&Food{Diet: Vegetarian}).AllowedTo(Vegan, nil))
}

func TestInvalidRowIsNamedInTheError(t *testing.T) {
	const header = "id,name,group,role,meals,diet,allergens,kcal,protein,carbohydrate,fat,fibre,sugar,sodium,min,max\n"
	for _, row := range []struct{ line, message string }{
		{"x,X,g,soup,b,vegan,,1,1,1,1,1,1,1,5,10", `food table, row 2 (x): role "soup" must be one of`},
		{"x,X,g,fat,q,vegan,,1,1,1,1,1,1,1,5,10", `meal "q" must be`},
		{"x,X,g,fat,b,fruitarian,,1,1,1,1,1,1,1,5,10", `diet "fruitarian" must be`},
		{"x,X,g,fat,b,vegan,dust,1,1,1,1,1,1,1,5,10", `allergen "dust" must be one of`},
		{"x,X,g,fat,b,vegan,,1,-1,1,1,1,1,1,5,10", `column 9 is "-1", must be a number`},
		{"x,X", "wrong number of fields"},
	} {
		_, err := readTable(strings.NewReader(header + row.line))
		require.ErrorContains(t, err, row.message)
	}
}
