package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/components/changeguard/changerule"
	"github.com/progressive-framework/platform/components/cloudmocks"
)

// AwaitRecorded returns the values that the provider accepted. They can differ from the values in
// the configuration.
func TestGuardReturnsTheAcceptedValues(t *testing.T) {
	field := changerule.Field{Path: "network.zones", Value: "us-east-1a", From: []string{"us-east-1a", "us-east-1b"}, Rule: changerule.Kept, Reason: "it stays", Fix: "Set it back"}
	recordedOutputs := map[string]map[string]any{changeguard.Token: {"values": map[string]any{"zone": "us-east-1b"}}}
	d, err := runOn(&cloudmocks.Cloud{Outputs: recordedOutputs}, func(ctx *pulumi.Context, _ *account.Account) error {
		guard, err := changeguard.NewGuard(ctx, "fixed", map[string]changerule.Field{"zone": field})
		if err != nil {
			return err
		}
		recorded, err := guard.AwaitRecorded(ctx)
		require.Equal(t, map[string]string{"zone": "us-east-1b"}, recorded)
		return err
	})
	require.NoError(t, err)
	d.find(t, changeguard.Token).requireInputs(t, map[string]any{
		"fields.zone.path": "network.zones", "fields.zone.value": "us-east-1a", "fields.zone.rule": "kept",
		"fields.zone.from": []any{"us-east-1a", "us-east-1b"}, "fields.zone.reason": "it stays", "fields.zone.fix": "Set it back",
	})

	field.Fix = ""
	_, err = run(func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := changeguard.NewGuard(ctx, "fixed", map[string]changerule.Field{"zone": field})
		return err
	})
	require.ErrorContains(t, err, `field "zone" must have an id, a Path, a Reason and a Fix`)
}
