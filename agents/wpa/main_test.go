package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/agent"
	"github.com/progressive-framework/platform/agents/internal/servicetest"
	"github.com/progressive-framework/platform/agents/wpa/internal/trainingapi"
)

var wpa = servicetest.PlanningAgent{
	Program: agent.Program(trainingapi.Spec), Name: "wpa", Path: "/api/v1/agents/wpa/generate",
	Body: `{"userId":"test-user-123","fitnessLevel":"intermediate","equipment":["dumbbells","resistance_bands"],"duration":45}`,
}

func TestProcessRespondsToTheLoadTestRequest(t *testing.T) {
	var week struct{ Sessions []json.RawMessage }
	require.NoError(t, json.Unmarshal(wpa.SendLoadTestRequest(t), &week))
	require.Len(t, week.Sessions, 1)
}

func TestShutdownUnderLoadFailsNoRequest(t *testing.T) { wpa.CheckShutdownUnderLoad(t) }
