package engine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The program reports all errors of a stack's configuration together, with their paths. It
// registers no resource.
func TestWrongConfigRegistersNothing(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	defer s.remove(t)
	s.pulumi(t, "config", "set", "--path", "progressive-framework:network.natGateways", "none")
	s.pulumi(t, "config", "set", "--path", "progressive-framework:network.cidr", "10.20.0.0/8")
	s.pulumi(t, "config", "set", "progressive-framework:netwrok", "misspelled")
	s.pulumi(t, "config", "rm", "aws:region")

	for _, command := range [][]string{{"preview"}, {"up", "--yes", "--skip-preview"}} {
		out, err := s.tryPulumi(t, command...)
		require.Error(t, err)
		for _, want := range []string{
			"aws:region: Required value",
			"progressive-framework:netwrok: Forbidden: no such key",
			`progressive-framework:network.cidr: Invalid value: "10.20.0.0/8"`,
			`progressive-framework:network.natGateways: Unsupported value: "none"`,
			"nothing was registered", "Pulumi.staging.yaml",
		} {
			require.Contains(t, out, want)
		}
		require.Empty(t, s.listAWSResources(t))
	}
}

// A preview reads the AMIs from AWS before it registers anything there. It reports the errors of all
// tiers.
func TestWrongConfigOfImagesRegistersNothingAtAWS(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	defer s.remove(t)
	s.pulumi(t, "config", "set", "--path", "progressive-framework:tiers.web.imageId", "ami-0123456789abcdef1")
	s.pulumi(t, "config", "set", "--path", "progressive-framework:tiers.application.imageId", "ami-00000000000000000")
	out, err := s.tryPulumi(t, "preview")
	require.Error(t, err)
	for _, want := range []string{
		`tiers.web.imageId: "ami-0123456789abcdef1": is for arm64, and the instances m7i.xlarge, m6i.xlarge, m5.xlarge need x86_64: choose an image for x86_64`,
		`tiers.application.imageId: "ami-00000000000000000": must be an image in us-east-1 that account 123456789012 may use`,
		"Your query returned no results",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "aws:kms", "the preview ends before the first resource of AWS")
	require.Empty(t, s.listAWSResources(t))

	s.pulumi(t, "config", "set", "--path", "progressive-framework:tiers.web.imageId", "ami-0123456789abcdef0")
	s.pulumi(t, "config", "set", "--path", "progressive-framework:tiers.application.imageId", "ami-0123456789abcdef2")
	out, err = s.tryPulumi(t, "preview")
	require.Error(t, err)
	require.NotContains(t, out, "tiers.web.imageId")
	require.Contains(t, out, `tiers.application.imageId: "ami-0123456789abcdef2": has the root device /dev/sda1, must be /dev/xvda`)
	require.Contains(t, out, "has a root device of 100 GiB, and volumeGiB is 50: set volumeGiB to at least 100")
}

// The Pulumi CLI does not name the file that it could not read, so the sandbox must name the
// file.
func TestErrorNamesTheMalformedConfigFile(t *testing.T) {
	e := copyProject(t, newEnvironment(t))
	for _, name := range []string{"sandbox", "staging"} {
		t.Run(name, func(t *testing.T) {
			file := "Pulumi." + name + ".yaml"
			require.NoError(t, os.WriteFile(filepath.Join(e.layout.Project, file), []byte("config: [not an object"), 0o600))
			out, err := e.run(t, e.layout.Project, "sandbox", "--home", t.TempDir(), "preview", "--stack", name)
			require.Error(t, err)
			require.Contains(t, out, file)
		})
	}
}

func TestWrongPassphraseIsAnError(t *testing.T) {
	s := newStack(t, newEnvironment(t), "staging")
	defer s.remove(t)
	s.pulumi(t, "config", "set", "--secret", "aws:secretKey", "x") // encrypted with the right passphrase
	rightPassphrase, err := os.ReadFile(s.layout.Passphrase())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.layout.Passphrase(), []byte("wrong"), 0o600))
	out, previewErr := s.tryPulumi(t, "preview")
	require.NoError(t, os.WriteFile(s.layout.Passphrase(), rightPassphrase, 0o600))
	require.Error(t, previewErr)
	require.Contains(t, out, "incorrect passphrase")
	require.Empty(t, s.listAWSResources(t))
}

// remove deletes the stack and its folder. The stack must have no resources.
func (s *stack) remove(t *testing.T) {
	t.Helper()
	s.pulumi(t, "stack", "rm", "--yes", "--preserve-config")
	require.NoError(t, os.RemoveAll(s.dir))
}

// The AWS stand-in does not start outside a sandbox, or in a shell with credentials of a
// real account.
func TestStandInStartsOnlyInASandbox(t *testing.T) {
	e := newEnvironment(t)
	plugin := filepath.Join(e.layout.Bin(), "pulumi-resource-aws")
	for _, tc := range []struct {
		reason string
		change func(*exec.Cmd)
		want   string
	}{
		{"outside a sandbox", func(c *exec.Cmd) { c.Env = []string{"PATH=" + os.Getenv("PATH")} }, "PROGRESSIVE_SANDBOX is not set"},
		{"another backend", func(c *exec.Cmd) { c.Env = append(c.Env, "PULUMI_BACKEND_URL=s3://state-of-a-company") }, "PULUMI_BACKEND_URL"},
		{"real credentials", func(c *exec.Cmd) { c.Env = append(c.Env, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE") }, "AWS_ACCESS_KEY_ID"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			cmd := e.newCommand(ctx, e.layout.Dir, plugin)
			tc.change(cmd)
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), tc.want)
		})
	}
}
