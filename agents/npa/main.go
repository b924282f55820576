// Command npa is the Nutrition Planning Agent: it plans meals for a number of
// days. Package agent has the service, internal/nutritionapi the part that is
// npa's own.
package main

import (
	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

func main() { agent.Run(nutritionapi.Spec) }
