package provider

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

func TestInvalidInputsAreReportedWithTheFix(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, tc := range []struct {
		reason, property string
		value            property.Value
		want             string // part of the failure's reason; empty means valid
	}{
		{"a full import path", "importPath", property.New("github.com/progressive-framework/platform/agents/mca"), ""},
		{"a path with a major version", "importPath", property.New("example.com/x/v2/cmd/a_b-c"), ""},
		{"a relative path, which depends on the folder", "importPath", property.New("./agents/mca"), "is a file path"},
		{"a pattern for many packages", "importPath", property.New("example.com/x/..."), "not an import path of one package"},
		{"a flag", "importPath", property.New("-toolexec=x"), "not an import path"},
		{"a version, which go.mod must select", "importPath", property.New("example.com/x@v1.2.3"), "not an import path"},
		{"an empty import path", "importPath", property.New(""), "not an import path"},
		{"an ECR repository", "repository", property.New("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/service"), ""},
		{"a loopback address with a port", "repository", property.New("127.0.0.1:5001/mca"), ""},
		{"a tag, which the provider must set", "repository", property.New("example.com/team/service:v1"), "not a repository"},
		{"a name without a registry, which means Docker Hub", "repository", property.New("service"), "not a repository"},
		{"a scheme", "repository", property.New("https://example.com/team/service"), "not a repository"},
		{"upper case", "repository", property.New("example.com/Team/service"), "not a repository"},
		{"Graviton", "platforms", propertyList("linux/arm64"), ""},
		{"a platform that EKS nodes do not have", "platforms", propertyList("linux/amd64", "linux/s390x"), `"linux/s390x" is not a supported platform: use linux/amd64 or linux/arm64`},
		{"a base by digest", "base", property.New("gcr.io/distroless/static" + digest), ""},
		{"a base by tag, which can change", "base", property.New("gcr.io/distroless/static:latest"), "does not name an image by its digest"},
		{"a label without a name", "labels", property.New(map[string]property.Value{" ": property.New("x")}), "a label has no name"},
		{"the digest, which the provider computes", "digest", property.New("sha256:00"), "is set by the provider"},
	} {
		programInputs := imageInputs("example.com/tiny", "", "example.com/team/service", map[string]property.Value{tc.property: tc.value})
		var in ImageInputs
		in.ImportPath, in.Repository = textInput(programInputs, "importPath"), textInput(programInputs, "repository")
		in.Digest = textInput(programInputs, "digest")
		if base := textInput(programInputs, "base"); base != "" {
			in.Base = &base
		}
		if v := programInputs["platforms"]; v.IsArray() {
			for _, p := range v.AsArray().AsSlice() {
				in.Platforms = append(in.Platforms, p.AsString())
			}
		}
		if v := programInputs["labels"]; v.IsMap() {
			in.Labels = map[string]string{" ": "x"}
		}
		failures := map[string]string{}
		for _, f := range checkImageInputs(property.NewMap(programInputs), in) {
			failures[f.Property] = f.Reason
		}
		if tc.want == "" {
			require.Empty(t, failures, tc.reason)
			continue
		}
		require.Len(t, failures, 1, tc.reason)
		require.Contains(t, failures[tc.property], tc.want, tc.reason)
	}
}

func TestAllInvalidInputsAreReportedAtOnce(t *testing.T) {
	_, failures := newStack(t, "tiny").check(map[string]property.Value{
		"repository": property.New("service"),
		"platforms":  propertyList("plan9/amd64"),
		"base":       property.New("scratch"),
		"colour":     property.New("blue"),
	})
	require.Len(t, failures, 5)
	for _, name := range []string{"importPath", "repository", "platforms", "base", "colour"} {
		require.Contains(t, failures, name)
	}
}

func TestOrderAndDuplicatesOfPlatformsChangeNothing(t *testing.T) {
	want := []string{"linux/amd64", "linux/arm64"}
	require.Equal(t, want, canonicalPlatforms([]string{"linux/arm64", "linux/amd64", "linux/arm64"}), "order and duplicates change nothing")
	require.Equal(t, want[:1], canonicalPlatforms(nil))
}

func TestResourceTagHasOnlyValidCharacters(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	urn := func(stack, name string) resource.URN {
		return resource.URN("urn:pulumi:" + stack + "::shop::ko:index:Image::" + name)
	}
	for _, tc := range []struct {
		reason string
		urn    resource.URN
		want   string
	}{
		{"stack and name", urn("staging", "mca"), "staging-mca-0123456789ab"},
		{"characters that a tag can't have", urn("dev", "a/b c"), "dev-a-b-c-0123456789ab"},
		{"a first character that is not a letter or digit", urn(".dev", "mca"), "dev-mca-0123456789ab"},
		{"at most 128 characters", urn("dev", strings.Repeat("n", 200)), "dev-" + strings.Repeat("n", 111) + "-0123456789ab"},
	} {
		tag := resourceTag(tc.urn, "", hex)
		require.Equal(t, tc.want, tag, tc.reason)
		require.LessOrEqual(t, len(tag), 128, tc.reason)
	}
}

func TestSchemaDescribesTheResource(t *testing.T) {
	schema, err := newStack(t, "tiny").server.GetSchema(p.GetSchemaRequest{})
	require.NoError(t, err)
	for _, want := range []string{`"ko:index:Image"`, `"importPath"`, `"sbomReference"`, "Go main package to build", `"secret":true`} {
		require.Contains(t, schema.Schema, want)
	}
}

// propertyList returns a property that is a list of texts.
func propertyList(values ...string) property.Value {
	var list []property.Value
	for _, v := range values {
		list = append(list, property.New(v))
	}
	return property.New(list)
}

// textInput returns an input that is text, or "".
func textInput(programInputs map[string]property.Value, name string) string {
	if v := programInputs[name]; v.IsString() {
		return v.AsString()
	}
	return ""
}
