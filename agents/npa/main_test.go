package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/npa/internal/nutritionapi"
)

var npa = servicetest.PlanningAgent{
	Program: agent.Program(nutritionapi.Spec), Name: "npa", Path: "/api/v1/agents/npa/plan",
	Body: `{"userId":"test-user-123","goals":["weight_loss","muscle_gain"],"preferences":["vegetarian"],"duration":7}`,
}

func TestProcessRespondsToTheLoadTestRequest(t *testing.T) {
	var plan struct{ Days []json.RawMessage }
	require.NoError(t, json.Unmarshal(npa.SendLoadTestRequest(t), &plan))
	require.Len(t, plan.Days, 7)
}

func TestShutdownUnderLoadFailsNoRequest(t *testing.T) { npa.CheckShutdownUnderLoad(t) }
