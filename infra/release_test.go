package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/infra/config"
	"github.com/progressive-framework/platform/release/signkey"
)

// A stack with a release copies each image that it would build, and builds none.
func TestReleaseCopiesEveryImage(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, signkey.Create(key))
	public, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	project := config.WithFiles(fstest.MapFS{
		"staging.pub": {Data: public}, "signing.pem": {Data: []byte("secret")}, ".sandbox/issuer/jwks.json": {Data: []byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`)},
	})
	for _, stack := range []string{"prod", "sandbox"} {
		t.Run(stack, func(t *testing.T) {
			const images, auth = "progressive-framework:images", "progressive-framework:auth"
			changes := map[string]string{images: `{"signingKey":"signing.pem"}`, auth: `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`}
			built, err := config.Load(stack, readStackValues(t, stack, changes), project)
			require.NoError(t, err)
			resources, err := deployMocked(t, built)
			require.NoError(t, err)
			digests := map[string]string{}
			for _, r := range resources {
				if r.Type == image.Token {
					imageName := strings.TrimPrefix(r.Name, built.Name()+"-")
					digests[imageName] = "sha256:" + strings.Repeat("0a", 32)
					require.Equal(t, "../signing.pem", r.Inputs["signingKey"].StringValue(), "the provider runs in the program's folder")
				}
			}
			require.Contains(t, digests, "web")

			release, err := json.Marshal(map[string]any{
				"commit": strings.Repeat("0a", 20), "at": "2026-12-01T10:00:00Z", "from": "staging",
				"repository": "registry.example.com/staging", "images": digests,
			})
			require.NoError(t, err)
			changes[images], changes["progressive-framework:release"] = `{"trustedKeys":["staging.pub"],"requiredGates":["pods"]}`, string(release)
			promoted, err := config.Load(stack, readStackValues(t, stack, changes), project)
			require.NoError(t, err, "the images of the configuration are those of the program")
			resources, err = deployMocked(t, promoted)
			require.NoError(t, err)
			sources := map[string]bool{}
			for _, r := range resources {
				require.NotEqual(t, image.Token, r.Type, r.Name)
				if r.Type == image.PromotedToken {
					sources[r.Inputs["source"].StringValue()] = true
					require.Equal(t, string(public), r.Inputs["trustedKeys"].ArrayValue()[0].StringValue())
					types := r.Inputs["predicateTypes"].ArrayValue()
					require.Len(t, types, 6, "provenance, SBOM, the gates that always have evidence, and the required one")
					require.Contains(t, types[4].StringValue(), "/gate/pods/"+stack+"/v1", "a statement for another stack is none for this one")
				}
			}
			require.Len(t, sources, len(digests))
			for imageName, digest := range digests {
				require.True(t, sources["registry.example.com/staging/"+imageName+"@"+digest], imageName)
			}

			changes["progressive-framework:release"] = strings.Replace(string(release), `{`, `{"draft":true,`, 1)
			draft, err := config.Load(stack, readStackValues(t, stack, changes), project)
			require.NoError(t, err)
			_, err = deployMocked(t, draft)
			require.ErrorContains(t, err, "release.draft is true")
			cloud := &cloudmocks.Cloud{Region: draft.Region}
			require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, draft) },
				pulumi.WithMocks(config.Project, draft.Environment, cloud), func(info *pulumi.RunInfo) { info.DryRun = true }))
			for _, r := range cloud.Registered() {
				if r.Type == image.PromotedToken {
					require.Len(t, r.Inputs["predicateTypes"].ArrayValue(), 2, "the gates are signed after the preview of a draft")
				}
			}

			delete(digests, "web")
			for imageName := range digests { // each is needed
				changes["progressive-framework:release"] = strings.Replace(string(release), `"`+imageName+`":`, `"other":`, 1)
				_, err = config.Load(stack, readStackValues(t, stack, changes), project)
				require.ErrorContains(t, err, "release.images."+imageName+": Required value")
			}
		})
	}
}

// The reference to a key of KMS reaches the images unchanged, and the stack creates that key.
func TestKeyOfKMSSignsTheImages(t *testing.T) {
	const key = "awskms:///alias/progressive-framework-staging-signing"
	const auth = "progressive-framework:auth"
	stack, err := config.Load("staging", readStackValues(t, "staging", map[string]string{
		"progressive-framework:images": `{"signingKey":"` + key + `","kmsSigners":["arn:aws:iam::123456789012:role/deploy-staging"]}`,
		auth:                           `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
	}), config.WithFiles(fstest.MapFS{}))
	require.NoError(t, err)
	resources, err := deployMocked(t, stack)
	require.NoError(t, err)
	images, keys := 0, 0
	for _, r := range resources {
		if r.Type == image.Token {
			images++
			require.Equal(t, key, r.Inputs["signingKey"].StringValue())
		}
		if r.Type == "aws:kms/alias:Alias" && r.Inputs["name"].StringValue() == strings.TrimPrefix(key, "awskms:///") {
			keys++
		}
	}
	require.NotZero(t, images)
	require.Equal(t, 1, keys)
}
