package traffic

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Wrong is what is wrong with an answer. It holds nothing that differs from one
// answer to the next, so that answers can be counted by it.
type Wrong string

func (w Wrong) Error() string { return string(w) }

// wrongf makes a Wrong.
func wrongf(format string, args ...any) error { return Wrong(fmt.Sprintf(format, args...)) }

// decoded reads an answer and has it checked.
func decoded[T any](body []byte, check func(T) error) error {
	var answer T
	if err := json.Unmarshal(body, &answer); err != nil {
		return wrongf("the answer is no JSON of the right form")
	}
	return check(answer)
}

func checkHealth(_ string, body []byte) error {
	return decoded(body, func(a struct{ Status string }) error {
		if a.Status != "ok" {
			return wrongf("status is %.20q, must be ok", a.Status)
		}
		return nil
	})
}

type profile struct {
	ID          string
	Preferences *struct {
		Theme         string
		Notifications *bool
	}
}

func checkProfile(user string, body []byte) error {
	return decoded(body, func(a profile) error {
		switch {
		case a.ID != user:
			return wrongf("it is not the profile of the token's user")
		case a.Preferences == nil:
			return wrongf("the profile has no preferences")
		}
		return nil
	})
}

// checkPreferences is whether a profile holds these.
func checkPreferences(theme string, notifications bool) func(string, []byte) error {
	return func(user string, body []byte) error {
		if err := checkProfile(user, body); err != nil {
			return err
		}
		return decoded(body, func(a profile) error {
			p := a.Preferences
			if p.Theme != theme || p.Notifications == nil || *p.Notifications != notifications {
				return wrongf("the preferences are not those that were sent")
			}
			return nil
		})
	}
}

type coordination struct {
	ID, UserID, Status string
	Agents             []struct {
		Agent, Status string
		DurationMS    int64
	}
	Week struct {
		Days []struct {
			Meals, Sessions []json.RawMessage
		}
	}
}

func checkCoordination(user string, body []byte) error {
	return decoded(body, func(a coordination) error {
		if a.UserID != user || a.ID == "" {
			return wrongf("it is no coordination of the token's user")
		}
		var agents []string
		for _, one := range a.Agents {
			if one.Status != "ok" {
				return wrongf("the agent %.10q did not answer mca", one.Agent)
			}
			agents = append(agents, one.Agent)
		}
		slices.Sort(agents)
		if a.Status != "complete" || !slices.Equal(agents, []string{"npa", "wpa"}) {
			return wrongf("the coordination is %.20q of the agents %.20q", a.Status, agents)
		}
		sessions := 0
		for _, day := range a.Week.Days {
			if len(day.Meals) == 0 {
				return wrongf("a day of the week has no meal")
			}
			sessions += len(day.Sessions)
		}
		if len(a.Week.Days) != 7 || sessions == 0 {
			return wrongf("the week has %d days and %d sessions", len(a.Week.Days), sessions)
		}
		return nil
	})
}

func checkPlan(user string, body []byte) error {
	type plan struct {
		UserID   string
		Duration int
		Days     []struct {
			Day   int
			Meals []struct {
				Items []struct{ Food string }
			}
			Totals struct{ EnergyKcal float64 }
		}
	}
	return decoded(body, func(a plan) error {
		if a.UserID != user || a.Duration != planDays || len(a.Days) != planDays {
			return wrongf("it is no plan of %d days for the token's user", planDays)
		}
		for i, day := range a.Days {
			if day.Day != i+1 || day.Totals.EnergyKcal <= 0 || len(day.Meals) == 0 {
				return wrongf("day %d of the plan has no meal or no energy", i+1)
			}
			for _, meal := range day.Meals {
				if len(meal.Items) == 0 || meal.Items[0].Food == "" {
					return wrongf("a meal of the plan has no food")
				}
			}
		}
		return nil
	})
}

func checkWorkout(user string, body []byte) error {
	type workout struct {
		UserID, FitnessLevel string
		Duration             int
		Sessions             []struct {
			TotalSeconds int
			Exercises    []struct {
				Name string
				Sets int
			}
		}
	}
	return decoded(body, func(a workout) error {
		if a.UserID != user || a.FitnessLevel != level || a.Duration != minutes || len(a.Sessions) == 0 {
			return wrongf("it is no workout of %d minutes for the token's user, %s", minutes, level)
		}
		for _, session := range a.Sessions {
			if session.TotalSeconds <= 0 || session.TotalSeconds > minutes*60 {
				return wrongf("a session does not fit %d minutes", minutes)
			}
			if len(session.Exercises) == 0 || session.Exercises[0].Name == "" || session.Exercises[0].Sets == 0 {
				return wrongf("a session has no exercise")
			}
		}
		return nil
	})
}
