package repository

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/repository/imagelifecycle"
)

// ExpireImages creates the lifecycle policy of the repository. tagInUse is the tag of the image
// that pods run (image.Image.Tag). opts must depend on these pods. So the policy keeps the
// previous image until the pods run the new one.
//
// SBOMs and signatures match no rule. ECR deletes them within a day after it has deleted the
// image to which they refer (ECR User Guide, "Deleting an image").
func (r *Repository) ExpireImages(ctx *pulumi.Context, tagInUse pulumi.StringInput, opts ...pulumi.ResourceOption) error {
	policy := tagInUse.ToStringOutput().ApplyT(imagelifecycle.Policy).(pulumi.StringOutput)
	if _, err := ecr.NewLifecyclePolicy(ctx, r.name+"-lifecycle", &ecr.LifecyclePolicyArgs{
		Repository: r.repositoryName, Policy: policy,
	}, append(opts, pulumi.Parent(r))...); err != nil {
		return fmt.Errorf("lifecycle policy of repository %s: %w", r.name, err)
	}
	return nil
}
