package program

import "github.com/progressive-framework/platform/agents/wpa/internal/training/exercises"

// Focus is the part of the body or the movement that a day trains.
type Focus string

// The focuses of a training day.
const (
	FullBody Focus = "full_body"
	Upper    Focus = "upper_body"
	Lower    Focus = "lower_body"
	PushDay  Focus = "push"
	PullDay  Focus = "pull"
	Legs     Focus = "legs"
	Recovery Focus = "recovery"
)

// patternOrder has the patterns of each focus, in their order within a session. Movements
// of many muscles come first (ACSM position stand, Med Sci Sports Exerc 41 (2009) 687).
var patternOrder = map[Focus][]exercises.Pattern{
	FullBody: {exercises.Squat, exercises.Push, exercises.Pull, exercises.Hinge, exercises.Core, exercises.Lunge, exercises.Carry},
	Upper:    {exercises.Push, exercises.Pull, exercises.Core, exercises.Carry},
	Lower:    {exercises.Squat, exercises.Hinge, exercises.Lunge, exercises.Core},
	PushDay:  {exercises.Push, exercises.Core},
	PullDay:  {exercises.Pull, exercises.Carry},
	Legs:     {exercises.Squat, exercises.Hinge, exercises.Lunge, exercises.Core},
	Recovery: {exercises.Core},
}

// day is a training day.
type day struct {
	weekday int // 1 to 7
	focus   Focus
}

// splits has a week for each number of training days, 1 to 7. It lists the weekdays with their
// focuses. A muscle rests two days where possible, because ACSM 2009 advises 48 hours. With two
// days or more, each muscle is trained at least twice a week (Schoenfeld et al., Sports Med 46
// (2016) 1689). With four days or more, a day does not train the whole body.
var splits = [MaxDays][]day{
	{{1, FullBody}},
	{{1, FullBody}, {4, FullBody}},
	{{1, FullBody}, {3, FullBody}, {5, FullBody}},
	{{1, Upper}, {2, Lower}, {4, Upper}, {5, Lower}},
	{{1, PushDay}, {2, PullDay}, {3, Legs}, {5, Upper}, {6, Lower}},
	{{1, PushDay}, {2, PullDay}, {3, Legs}, {4, PushDay}, {5, PullDay}, {6, Legs}},
	{{1, PushDay}, {2, PullDay}, {3, Legs}, {4, PushDay}, {5, PullDay}, {6, Legs}, {7, Recovery}},
}
