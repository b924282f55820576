// Command npa is the Nutrition Planning Agent: it answers what a person should
// eat, day by day. The service is package agent, its npa part internal/nutritionapi.
package main

import (
	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

func main() { agent.Run(nutritionapi.Spec) }
