package image

import (
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/image/ociplatform"
)

// engine records what a program registers.
type engine struct {
	mu     sync.Mutex
	token  string
	inputs resource.PropertyMap
}

func (e *engine) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.token, e.inputs = args.TypeToken, args.Inputs
	out := args.Inputs.Copy()
	out["digest"] = resource.NewProperty("sha256:1")
	out["reference"] = resource.NewProperty("example.com/team/service@sha256:1")
	return args.Name, out, nil
}

func (e *engine) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{}, nil
}

func TestNewImage(t *testing.T) {
	e := &engine{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		img, err := NewImage(ctx, "mca", &ImageArgs{
			ImportPath:  "example.com/platform/mca",
			Repository:  pulumi.String("example.com/team/service"),
			Credentials: &Credentials{Username: pulumi.String("AWS"), Password: pulumi.String("token")},
		})
		if err != nil {
			return err
		}
		ctx.Export("reference", img.Reference)
		return nil
	}, pulumi.WithMocks("platform", "test", e))
	require.NoError(t, err)
	require.Equal(t, Token, e.token)
	require.Equal(t, "example.com/platform/mca", e.inputs["importPath"].StringValue())
	require.True(t, e.inputs["credentials"].ContainsSecrets(), "a plain password becomes a secret")
	for _, unset := range []resource.PropertyKey{"platforms", "base", "labels", "dir"} {
		require.NotContains(t, e.inputs, unset, "the provider's default holds")
	}
}

func TestValidate(t *testing.T) {
	repository := pulumi.String("example.com/team/service")
	for _, c := range []struct {
		why  string
		args *ImageArgs
		want []string
	}{
		{"the least that is needed", &ImageArgs{ImportPath: "example.com/x", Repository: repository}, nil},
		{"both platforms", &ImageArgs{ImportPath: "example.com/x", Repository: repository, Platforms: []ociplatform.Platform{ociplatform.AMD64, ociplatform.ARM64}}, nil},
		{"no args", nil, []string{"args are nil"}},
		{"every fault at once", &ImageArgs{Platforms: []ociplatform.Platform{"linux/mips"}, Credentials: &Credentials{}},
			[]string{"ImportPath is empty", "Repository is nil", `"linux/mips": use linux/amd64 or linux/arm64`, "both Username and Password"}},
	} {
		err := c.args.validate()
		if c.want == nil {
			require.NoError(t, err, c.why)
			continue
		}
		for _, want := range c.want {
			require.ErrorContains(t, err, want, c.why)
		}
	}
}
