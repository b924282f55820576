// Services is a Pulumi program with SERVICES services. The benchmark measures how `pulumi up`
// and previews grow with their number. A service has five resources: a component, a
// repository, a role, a policy that depends on both, and a log group.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const trustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`

// repository is a resource with an output that another resource uses.
type repository struct {
	pulumi.CustomResourceState
	ARN pulumi.StringOutput `pulumi:"arn"`
}

// role is a resource with an output that another resource uses.
type role struct {
	pulumi.CustomResourceState
	Name pulumi.StringOutput `pulumi:"name"`
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		count, err := strconv.Atoi(os.Getenv("SERVICES"))
		if err != nil {
			return fmt.Errorf("SERVICES: %w", err)
		}
		for i := range count {
			if err := registerService(ctx, fmt.Sprintf("service-%d", i)); err != nil {
				return err
			}
		}
		return nil
	})
}

func registerService(ctx *pulumi.Context, name string) error {
	var parent pulumi.ResourceState
	if err := ctx.RegisterComponentResource("bench:index:Service", name, &parent); err != nil {
		return err
	}
	options := []pulumi.ResourceOption{pulumi.Parent(&parent), pulumi.Version("6.83.2")}
	var images repository
	if err := ctx.RegisterResource("aws:ecr/repository:Repository", name, pulumi.Map{"name": pulumi.String(name)}, &images, options...); err != nil {
		return err
	}
	var podRole role
	if err := ctx.RegisterResource("aws:iam/role:Role", name, pulumi.Map{"assumeRolePolicy": pulumi.String(trustPolicy)}, &podRole, options...); err != nil {
		return err
	}
	var policy, logs pulumi.CustomResourceState
	if err := ctx.RegisterResource("aws:iam/rolePolicy:RolePolicy", name, pulumi.Map{
		"role": podRole.Name,
		"policy": pulumi.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:BatchGetImage"],"Resource":["%s"]}]}`,
			images.ARN),
	}, &policy, options...); err != nil {
		return err
	}
	return ctx.RegisterResource("aws:cloudwatch/logGroup:LogGroup", name, pulumi.Map{"retentionInDays": pulumi.Int(30)}, &logs, options...)
}
