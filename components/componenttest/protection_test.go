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

// under runs a program as a stack does, under a protection policy.
func under(policy *protection.Policy, programs ...program) program {
	return func(ctx *pulumi.Context, where *account.Account) error {
		if err := ctx.RegisterStackTransformation(policy.Transform); err != nil {
			return err
		}
		for _, p := range programs {
			if err := p(ctx, where); err != nil {
				return err
			}
		}
		return nil
	}
}

// The stack's own setting protects children of components, at any depth.
func TestProtectionReachesEveryResource(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		d := deploy(t, under(protection.New(enabled),
			newNetwork(func(*network.Args) {}), newCluster(func(*cluster.Args) {}), newCDN(func(*cdn.Args) {}), newDatabase(databaseArgs), newRedisPods(redisPodArgs()), newMongo(mongoArgs)))
		protected := map[string]bool{}
		for _, r := range d {
			holds, _ := stateful.Holds(r.Type, r.Parent != "")
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
