package load

import (
	"encoding/json"
	"fmt"
	"slices"
)

// InvalidAnswer is the error of an incorrect response. Its text has no details that differ between
// responses, so that equal errors can be counted.
type InvalidAnswer string

func (e InvalidAnswer) Error() string { return string(e) }

func invalidf(format string, args ...any) error { return InvalidAnswer(fmt.Sprintf(format, args...)) }

// decode decodes the body of a response and checks it.
func decode[T any](body []byte, check func(T) error) error {
	var response T
	if err := json.Unmarshal(body, &response); err != nil {
		return invalidf("the body is not JSON of the expected form")
	}
	return check(response)
}

func checkHealth(_ string, body []byte) error {
	return decode(body, func(a struct{ Status string }) error {
		if a.Status != "ok" {
			return invalidf("status is %.20q, must be ok", a.Status)
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
	return decode(body, func(a profile) error {
		switch {
		case a.ID != user:
			return invalidf("the profile is not that of the token's user")
		case a.Preferences == nil:
			return invalidf("the profile has no preferences")
		}
		return nil
	})
}

// checkPreferences checks that a profile has these preferences.
func checkPreferences(theme string, notifications bool) func(string, []byte) error {
	return func(user string, body []byte) error {
		if err := checkProfile(user, body); err != nil {
			return err
		}
		return decode(body, func(a profile) error {
			p := a.Preferences
			if p.Theme != theme || p.Notifications == nil || *p.Notifications != notifications {
				return invalidf("the preferences are not those that were sent")
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
	return decode(body, func(a coordination) error {
		if a.UserID != user || a.ID == "" {
			return invalidf("the coordination is not that of the token's user")
		}
		var agents []string
		for _, agent := range a.Agents {
			if agent.Status != "ok" {
				return invalidf("the agent %.10q failed", agent.Agent)
			}
			agents = append(agents, agent.Agent)
		}
		slices.Sort(agents)
		if a.Status != "complete" || !slices.Equal(agents, []string{"npa", "wpa"}) {
			return invalidf("the coordination is %.20q with the agents %.20q, must be complete with npa and wpa", a.Status, agents)
		}
		sessions := 0
		for _, day := range a.Week.Days {
			if len(day.Meals) == 0 {
				return invalidf("a day of the week has no meal")
			}
			sessions += len(day.Sessions)
		}
		if len(a.Week.Days) != 7 || sessions == 0 {
			return invalidf("the week has %d days and %d sessions, must have 7 and at least 1", len(a.Week.Days), sessions)
		}
		return nil
	})
}

func checkPlan(_ string, body []byte) error {
	type plan struct {
		Duration int
		Days     []struct {
			Day   int
			Meals []struct {
				Items []struct{ Food string }
			}
			Totals struct{ EnergyKcal float64 }
		}
	}
	return decode(body, func(a plan) error {
		if a.Duration != planDays || len(a.Days) != planDays {
			return invalidf("the response is not a plan of %d days", planDays)
		}
		for i, day := range a.Days {
			if day.Day != i+1 || day.Totals.EnergyKcal <= 0 || len(day.Meals) == 0 {
				return invalidf("day %d of the plan has no meal or no energy", i+1)
			}
			for _, meal := range day.Meals {
				if len(meal.Items) == 0 || meal.Items[0].Food == "" {
					return invalidf("a meal of the plan has no food")
				}
			}
		}
		return nil
	})
}

func checkWorkout(_ string, body []byte) error {
	type workout struct {
		FitnessLevel string
		Duration     int
		Sessions     []struct {
			TotalSeconds int
			Exercises    []struct {
				Name string
				Sets int
			}
		}
	}
	return decode(body, func(a workout) error {
		if a.FitnessLevel != level || a.Duration != minutes || len(a.Sessions) == 0 {
			return invalidf("the response is not a workout of %d minutes, %s", minutes, level)
		}
		for _, session := range a.Sessions {
			if session.TotalSeconds <= 0 || session.TotalSeconds > minutes*60 {
				return invalidf("a session does not fit %d minutes", minutes)
			}
			if len(session.Exercises) == 0 || session.Exercises[0].Name == "" || session.Exercises[0].Sets == 0 {
				return invalidf("a session has no exercise")
			}
		}
		return nil
	})
}
