// Command wpa is the Workout Planning Agent: it plans training sessions.
// Package agent has the service, internal/trainingapi the part that is wpa's
// own.
package main

import (
	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/wpa/internal/trainingapi"
)

func main() { agent.Run(trainingapi.Spec) }
