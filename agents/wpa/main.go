// Command wpa is the Workout Planning Agent: it plans training sessions.
// Package agent implements the service. Package trainingapi adds what is specific
// to wpa: its requests, its responses and its planner.
package main

import (
	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/wpa/internal/trainingapi"
)

func main() { agent.Run(trainingapi.Spec) }
