package image

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// PromotedToken is the type of the resource Promoted.
const PromotedToken = "ko:index:Promoted"

// PromotedArgs configure a Promoted image.
type PromotedArgs struct {
	// Source is the image of another stack, as REGISTRY/PATH@sha256:DIGEST.
	Source string
	// Repository is the registry and the repository to copy to, without a tag. A change
	// of the repository replaces the image.
	Repository pulumi.StringInput
	// TrustedKeys are public keys in PEM. One of them must have signed the provenance and
	// the SBOM of the image.
	TrustedKeys []string
	// PredicateTypes are the types of the signed statements that the image must have.
	// Empty means provenance and SBOM.
	PredicateTypes []string
	// Login is the login at the ECR registry of the repository. It is used for the source
	// only if it is in the same registry. nil means that of the docker config.
	Login *ECRLogin
}

// Promoted is a verified copy of an image and of its signed statements.
type Promoted struct {
	pulumi.CustomResourceState

	// Digest is the digest of the source.
	Digest pulumi.StringOutput `pulumi:"digest"`
	// Reference is REPOSITORY@DIGEST, for pods.
	Reference pulumi.StringOutput `pulumi:"reference"`
	// Tag is the tag of this resource: promoted-STACK-NAME-DIGEST.
	Tag pulumi.StringOutput `pulumi:"tag"`
}

// NewPromoted registers an image that is copied from args.Source to args.Repository. Its
// error lists all errors of args.
func NewPromoted(ctx *pulumi.Context, name string, args *PromotedArgs, opts ...pulumi.ResourceOption) (*Promoted, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("promoted image %q: %w", name, err)
	}
	inputs := pulumi.Map{
		"source":      pulumi.String(args.Source),
		"repository":  args.Repository,
		"trustedKeys": pulumi.ToStringArray(args.TrustedKeys),
	}
	if len(args.PredicateTypes) > 0 {
		inputs["predicateTypes"] = pulumi.ToStringArray(args.PredicateTypes)
	}
	if args.Login != nil {
		inputs["login"] = args.Login.inputs()
	}
	img := &Promoted{}
	if err := ctx.RegisterResource(PromotedToken, name, inputs, img, opts...); err != nil {
		return nil, fmt.Errorf("promoted image %q: %w", name, err)
	}
	return img, nil
}

// validate reports all errors that are visible before outputs are resolved. The
// provider checks the rest.
func (a *PromotedArgs) validate() error {
	if a == nil {
		return errors.New("args are nil: Source, Repository and TrustedKeys are required")
	}
	var errs []error
	if !strings.Contains(a.Source, "@sha256:") {
		errs = append(errs, fmt.Errorf("Source is %q: must be REGISTRY/PATH@sha256:DIGEST", a.Source))
	}
	if a.Repository == nil {
		errs = append(errs, errors.New("Repository is nil: set the repository to copy to, such as the URL of an ECR repository"))
	}
	if len(a.TrustedKeys) == 0 {
		errs = append(errs, errors.New("TrustedKeys is empty: set the public keys that the image is verified with"))
	}
	return errors.Join(append(errs, a.Login.validate())...)
}
