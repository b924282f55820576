package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cdn"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/protection"
	"github.com/progressive-framework/platform/components/protection/stateful"
)

// withProtection returns a program that registers the policy's transformation, as the stack's
// program does, and then runs the given programs.
func withProtection(policy *protection.Policy, programs ...program) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		if err := ctx.RegisterStackTransformation(policy.Transform); err != nil {
			return err
		}
		for _, p := range programs {
			if err := p(ctx, stackAccount); err != nil {
				return err
			}
		}
		return nil
	}
}

// The stack's setting protects every resource that holds data, an address or an identity, also
// deep inside components.
func TestProtectionReachesChildrenOfComponents(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		d := deploy(t, withProtection(protection.New(enabled),
			newNetwork(func(*network.Args) {}), newCluster(func(*cluster.Args) {}), newCDN(func(*cdn.Args) {}), newDatabase(databaseArgs), newRedisPods(redisPodArgs()), newMongo(mongoArgs)))
		protected := map[string]bool{}
		for _, r := range d {
			holds, _ := stateful.HoldsState(r.Type, r.Parent != "")
			require.Equal(t, enabled && holds, r.Protect, "%s %s", r.Type, r.Name)
			protected[r.Type] = r.Protect
		}
		for _, kind := range []string{
			rdsInstance, docdbCluster, ec2Subnet, "aws:ec2/vpc:Vpc", eksCluster, "aws:cloudfront/distribution:Distribution", "aws:ec2/eip:Eip", "aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup",
			"kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:Secret", "kubernetes:core/v1:PersistentVolumeClaim",
		} {
			require.Equal(t, enabled, protected[kind], kind)
		}
		for _, kind := range []string{docdbInstance, ec2Route, "kubernetes:core/v1:ConfigMap"} {
			require.False(t, protected[kind], kind)
		}
	}
}
