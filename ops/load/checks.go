package load

import (
	"encoding/json"
	"fmt"
	"slices"
)

// InvalidResponse is the error for an incorrect response. The text has no details that differ between
// responses, so that equal errors can be counted.
type InvalidResponse string

func (e InvalidResponse) Error() string { return string(e) }

// invalidResponsef returns an InvalidResponse with a formatted text.
func invalidResponsef(format string, args ...any) error {
	return InvalidResponse(fmt.Sprintf(format, args...))
}

// decodeAndCheck decodes the body of a response, and calls check with the result.
func decodeAndCheck[T any](body []byte, check func(T) error) error {
	var response T
	if err := json.Unmarshal(body, &response); err != nil {
		return invalidResponsef("the body is not JSON of the expected form")
	}
	return check(response)
}

func checkHealth(_ string, body []byte) error {
	return decodeAndCheck(body, func(response struct{ Status string }) error {
		if response.Status != "ok" {
			return invalidResponsef("status is %.20q, must be ok", response.Status)
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
	return decodeAndCheck(body, func(response profile) error {
		switch {
		case response.ID != user:
			return invalidResponsef("the profile is not that of the token's user")
		case response.Preferences == nil:
			return invalidResponsef("the profile has no preferences")
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
		return decodeAndCheck(body, func(response profile) error {
			preferences := response.Preferences
			if preferences.Theme != theme || preferences.Notifications == nil || *preferences.Notifications != notifications {
				return invalidResponsef("the preferences are not those that were sent")
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
	return decodeAndCheck(body, func(response coordination) error {
		if response.UserID != user || response.ID == "" {
			return invalidResponsef("the coordination is not that of the token's user")
		}
		var agents []string
		for _, agent := range response.Agents {
			if agent.Status != "ok" {
				return invalidResponsef("the agent %.10q failed", agent.Agent)
			}
			agents = append(agents, agent.Agent)
		}
		slices.Sort(agents)
		if response.Status != "complete" || !slices.Equal(agents, []string{"npa", "wpa"}) {
			return invalidResponsef("the coordination is %.20q with the agents %.20q, must be complete with npa and wpa", response.Status, agents)
		}
		sessions := 0
		for _, day := range response.Week.Days {
			if len(day.Meals) == 0 {
				return invalidResponsef("a day of the week has no meal")
			}
			sessions += len(day.Sessions)
		}
		if len(response.Week.Days) != 7 || sessions == 0 {
			return invalidResponsef("the week has %d days and %d sessions, must have 7 and at least 1", len(response.Week.Days), sessions)
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
	return decodeAndCheck(body, func(response plan) error {
		if response.Duration != planDays || len(response.Days) != planDays {
			return invalidResponsef("the response is not a plan of %d days", planDays)
		}
		for i, day := range response.Days {
			if day.Day != i+1 || day.Totals.EnergyKcal <= 0 || len(day.Meals) == 0 {
				return invalidResponsef("day %d of the plan has no meal or no energy", i+1)
			}
			for _, meal := range day.Meals {
				if len(meal.Items) == 0 || meal.Items[0].Food == "" {
					return invalidResponsef("a meal of the plan has no food")
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
	return decodeAndCheck(body, func(response workout) error {
		if response.FitnessLevel != fitnessLevel || response.Duration != workoutMinutes || len(response.Sessions) == 0 {
			return invalidResponsef("the response is not a workout of %d minutes, %s", workoutMinutes, fitnessLevel)
		}
		for _, session := range response.Sessions {
			if session.TotalSeconds <= 0 || session.TotalSeconds > workoutMinutes*60 {
				return invalidResponsef("a session does not fit %d minutes", workoutMinutes)
			}
			if len(session.Exercises) == 0 || session.Exercises[0].Name == "" || session.Exercises[0].Sets == 0 {
				return invalidResponsef("a session has no exercise")
			}
		}
		return nil
	})
}
