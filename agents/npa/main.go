// Command npa is the Nutrition Planning Agent: it plans meals for a number of
// days. Package agent implements the service. Package nutritionapi adds what is
// specific to npa: its requests, its responses and its planner.
package main

import (
	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

func main() { agent.Run(nutritionapi.Spec) }
