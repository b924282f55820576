package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// rowsDir is the folder of package rules.
var rowsDir = filepath.Join("..", "..", "rules")

func TestTablesAreUpToDate(t *testing.T) {
	files, err := generateTables(rowsDir)
	require.NoError(t, err)
	written, err := filepath.Glob(filepath.Join("..", "data", "*.json"))
	require.NoError(t, err)
	require.Len(t, written, len(files), "run `go generate ./aws/schema` in sandbox/")
	for name, want := range files {
		content, err := os.ReadFile(filepath.Join("..", "data", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(content), "%s: run `go generate ./aws/schema` in sandbox/", name)
	}
}

func TestTheProgramUsesOnlyTypesWithARow(t *testing.T) {
	root, err := findProgramRoot(rowsDir)
	require.NoError(t, err)
	dir, _, err := locateSDK(root)
	require.NoError(t, err)
	known, err := findTokens(rowsDir)
	require.NoError(t, err)
	s := newSDK(filepath.Join(dir, "go", "aws"))
	for _, folder := range []string{"infra", "components"} {
		uses, err := findUses(filepath.Join(root, folder), s)
		require.NoError(t, err)
		for _, u := range uses {
			require.Contains(t, known, u.Token, "%s uses %s, which has no row: add one in sandbox/aws/rules (see sandbox/aws/README.md)", u.Location, u.Token)
		}
	}
}

// TestTheProgramUsesOnlyTypesWithARow relies on findUses. This test checks findUses with a
// small program.
func TestFindUsesFindsConstructorsLookupsAndTokens(t *testing.T) {
	root, err := findProgramRoot(rowsDir)
	require.NoError(t, err)
	dir, _, err := locateSDK(root)
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "infra")
	require.NoError(t, os.MkdirAll(program, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(program, "main.go"), []byte(`package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	queues "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
)

func main() {
	ec2.NewVpc(nil, "v", &ec2.VpcArgs{})
	queues.NewQueue(nil, "q", nil)
	aws.GetRegionOutput(nil, aws.GetRegionOutputArgs{})
	ec2.LookupVpc(nil, nil)
	ctx.RegisterResource("aws:wafv2/webAcl:WebAcl", "acl", args, &acl)
}
`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(program, "main_test.go"), []byte("package main\n\nvar x = \"aws:sns/topic:Topic\"\n"), 0o600))
	uses, err := findUses(program, newSDK(filepath.Join(dir, "go", "aws")))
	require.NoError(t, err)
	var tokens []string
	for _, u := range uses {
		tokens = append(tokens, u.Token)
	}
	require.ElementsMatch(t, []string{
		"aws:ec2/vpc:Vpc",
		"aws:sqs/queue:Queue",           // of a package that is imported under another name
		"aws:index/getRegion:getRegion", // in the form that returns an output
		"aws:ec2/getVpc:getVpc",         // a lookup
		"aws:wafv2/webAcl:WebAcl",       // by its token
	}, tokens, "tests are not read, and the name of an argument struct is not a use")
	require.Equal(t, "infra/main.go:10", uses[0].Location)
}

func TestUnknownTokenIsReported(t *testing.T) {
	root, err := findProgramRoot(rowsDir)
	require.NoError(t, err)
	sdkDir, _, err := locateSDK(root)
	require.NoError(t, err)
	s := newSDK(filepath.Join(sdkDir, "go", "aws"))
	err = s.addToken(&table{}, "ec2", "aws:ec2/dream:Dream")
	require.ErrorContains(t, err, "is the token right?")
}
