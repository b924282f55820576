package main

import "fmt"

// plan is what is cached: a day of a user's plan, some 300 bytes as JSON.
type plan struct {
	UserID string `json:"userId"`
	Goal   string `json:"goal"`
	Meals  []meal `json:"meals"`
}

type meal struct {
	Food  string  `json:"food"`
	Grams int     `json:"grams"`
	Kcal  float64 `json:"kcal"`
}

type userID string

// users are few enough for every local tier (the document's has 10,000 keys)
// and enough for every master.
var users = func() []userID {
	ids := make([]userID, 1024)
	for i := range ids {
		ids[i] = userID(fmt.Sprintf("user-%d", i))
	}
	return ids
}()

func planOf(user userID) *plan {
	return &plan{UserID: string(user), Goal: "weight_loss", Meals: []meal{
		{"Oats, rolled, dry", 80, 303.2}, {"Yogurt, Greek, plain, low fat", 150, 109.5}, {"Lentils, cooked", 250, 290},
		{"Rice, brown, cooked", 200, 246}, {"Salmon, Atlantic, raw", 150, 312}, {"Broccoli, raw", 200, 68},
	}}
}
