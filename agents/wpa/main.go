// Command wpa is the Workout Planning Agent: it answers how a person should
// train, session by session. The service is package agent, its wpa part internal/trainingapi.
package main

import (
	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/wpa/internal/trainingapi"
)

func main() { agent.Run(trainingapi.Spec) }
