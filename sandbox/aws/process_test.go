package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// setEnvironment sets the sandbox's environment variables for the test.
func (s *sandbox) setEnvironment() {
	s.t.Helper()
	for _, name := range layout.CloudVariables {
		s.t.Setenv(name, "") // t.Setenv restores it after the test
		require.NoError(s.t, os.Unsetenv(name))
	}
	for _, kv := range s.layout.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		s.t.Setenv(name, value)
	}
}

func TestProviderStartsOnlyInASandbox(t *testing.T) {
	for _, row := range []struct {
		reason, name, value string
		want                []string
	}{
		{"outside a sandbox", layout.Variable, "", []string{layout.Variable, "make env"}},
		{"with another state backend", "PULUMI_BACKEND_URL", "https://api.pulumi.com", []string{"PULUMI_BACKEND_URL", "https://api.pulumi.com", "make env"}},
		{"with the keys of a real account", "AWS_ACCESS_KEY_ID", "AKIA", []string{"AWS_ACCESS_KEY_ID", "unset it"}},
		{"with a profile, even an empty one", "AWS_PROFILE", "", []string{"AWS_PROFILE"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			s := newSandbox(t, nil)
			s.setEnvironment()
			_, err := requireSandbox()
			require.NoError(t, err, "the stand-in starts inside a sandbox")
			t.Setenv(row.name, row.value)
			err = Serve(t.Context(), io.Discard)
			for _, want := range row.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestServePrintsItsPortAndServesCalls(t *testing.T) {
	s := newSandbox(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, s.layout, "", writer) }()
	line := make([]byte, 16)
	n, err := reader.Read(line)
	require.NoError(t, err)
	port, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err, "the engine reads the port from the first line")
	conn, err := grpc.NewClient("127.0.0.1:"+strconv.Itoa(port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	info, err := pulumirpc.NewResourceProviderClient(conn).GetPluginInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.Regexp(t, `^6\.\d+\.\d+$`, info.GetVersion(), "the version of the SDK that the tables come from")
	stop()
	require.NoError(t, <-ended)
}

func TestEngineAddressIsTheArgumentAfterTheFlags(t *testing.T) {
	address, err := parseEngineAddress([]string{"--logtostderr", "-v=9", "--tracing", "x", "127.0.0.1:1"})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1", address)
	_, err = parseEngineAddress([]string{"up", "now"})
	require.ErrorContains(t, err, "started by the Pulumi engine")
}

func TestGetTokenPrintsTheCredential(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	getToken := func(args string) (props, error) {
		out, err := runCLI(args)
		if err != nil {
			return nil, err
		}
		credential := props{}
		require.NoError(t, json.Unmarshal([]byte(out), &credential))
		return credential, nil
	}
	role := s.mustCreate(roleT, "role", props{"assumeRolePolicy": eksTrust})
	s.mustCreate(policyAttachmentT, "policy", props{"role": role.state["name"], "policyArn": clusterPolicyARN})
	vpc := s.mustCreate(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16"})
	s.mustCreate(clusterT, "c", props{"name": "c", "version": "1.33", "roleArn": role.state["arn"], "vpcConfig": props{"subnetIds": []any{
		s.mustCreate(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.20.0.0/24", "availabilityZone": "us-east-1a"}).id,
		s.mustCreate(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.20.1.0/24", "availabilityZone": "us-east-1b"}).id,
	}}})
	credential, err := getToken("eks get-token --cluster-name c --region us-east-1 --output json")
	require.NoError(t, err)
	require.Equal(t, "ExecCredential", credential["kind"])
	_, err = getToken("eks get-token --cluster-name c --profile platform --role-arn arn:aws:iam::123456789012:role/deployer")
	require.NoError(t, err)
	require.Equal(t, "client.authentication.k8s.io/v1beta1", credential["apiVersion"])
	status := credential["status"].(props)
	require.Equal(t, "certificate", status["clientCertificateData"])
	require.Equal(t, "key", status["clientKeyData"])
	require.NotContains(t, status, "token")
	for reason, row := range map[string]struct{ args, want string }{
		"another command":             {"s3 ls", `not "aws s3 ls"`},
		"another EKS command":         {"eks list-clusters", "eks list-clusters"},
		"a role that is a name":       {"eks get-token --cluster-name c --role-arn x", "--role-arn"},
		"another server":              {"eks get-token --cluster-name=c --endpoint-url=http://x", "--endpoint-url"},
		"no cluster":                  {"eks get-token", "--cluster-name is required"},
		"another output format":       {"eks get-token --cluster-name c --output text", "only json is supported"},
		"an option without its value": {"eks get-token --cluster-name", "needs a value"},
		"an argument too many":        {"eks get-token --cluster-name c now", "now"},
		"no command":                  {"", "get-token"},
	} {
		_, err := getToken(row.args)
		require.ErrorContains(t, err, row.want, reason)
	}
	// user is the user in the kubeconfig. It is empty if there is no kubeconfig.
	for reason, row := range map[string]struct{ user, want string }{
		"a program":      {`{"exec": {"command": "gke"}}`, "exec"},
		"OpenID Connect": {`{"auth-provider": {"name": "oidc"}}`, "oidc"},
		"a password":     {`{"username": "u", "password": "p"}`, "password"},
		"no credential":  {`{}`, "no credential"},
		"no kubeconfig":  {``, "make up"},
	} {
		require.NoError(t, os.Remove(s.layout.Kubeconfig()))
		if row.user != "" {
			original := `{"client-certificate-data": "` + b64("certificate") + `", "client-key-data": "` + b64("key") + `"}`
			require.NoError(t, os.WriteFile(s.layout.Kubeconfig(), []byte(strings.Replace(certificateKubeconfig, original, row.user, 1)), 0o600))
		}
		_, err := getToken("eks get-token --cluster-name c")
		require.ErrorContains(t, err, row.want, reason)
		require.NoError(t, os.WriteFile(s.layout.Kubeconfig(), nil, 0o600))
	}
}

// The provider of images logs in to the registry with these commands.
func TestGetLoginPasswordPrintsTheRegistryPassword(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	for _, args := range []string{"", " --region us-east-1", " --region us-east-1 --profile platform"} {
		password, err := runCLI("ecr get-login-password" + args)
		require.NoError(t, err, args)
		require.Equal(t, "secret\n", password, args)
	}
	const assumeRole = "sts assume-role --role-arn arn:aws:iam::123456789012:role/deployer --role-session-name ko"
	out, err := runCLI(assumeRole + " --region us-east-1 --profile platform --output json")
	require.NoError(t, err)
	var response struct{ Credentials map[string]string }
	require.NoError(t, json.Unmarshal([]byte(out), &response))
	for _, name := range []string{"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"} {
		require.NotEmpty(t, response.Credentials[name], name)
	}
	for reason, row := range map[string]struct{ args, want string }{
		"another ECR command":             {"ecr get-login", "`aws ecr get-login-password`"},
		"a role, which the CLI lacks":     {"ecr get-login-password --role-arn arn:aws:iam::123456789012:role/x", "the option --role-arn"},
		"an option without its value":     {"ecr get-login-password --region", "needs a value"},
		"another STS command":             {"sts get-caller-identity", `not "aws sts get-caller-identity"`},
		"no role":                         {"sts assume-role --role-session-name ko", "--role-arn is required"},
		"no session name":                 {"sts assume-role --role-arn arn:aws:iam::123456789012:role/x", "--role-session-name is required"},
		"a role that is a name":           {"sts assume-role --role-session-name ko --role-arn x", "must be the ARN of a role"},
		"an external ID":                  {assumeRole + " --external-id x", "--external-id"},
		"another output format of a role": {assumeRole + " --output text", "only json is supported"},
	} {
		_, err := runCLI(row.args)
		require.ErrorContains(t, err, row.want, reason)
	}
	require.NoError(t, os.Remove(s.layout.RegistryPassword()))
	_, err = runCLI("ecr get-login-password")
	require.ErrorContains(t, err, "make up")
}

// runCLI runs the program aws and returns the output.
func runCLI(args string) (string, error) {
	var out bytes.Buffer
	err := RunCLI(strings.Fields(args), &out, io.Discard)
	return out.String(), err
}

// runCommand runs a command of `sandbox aws` and returns the output.
func (s *sandbox) runCommand(args ...string) (string, error) {
	s.t.Helper()
	var out bytes.Buffer
	cmd := Command()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(s.t.Context())
	return out.String(), err
}

func TestCommandsListAndChangeObjectsAndConfigureFaults(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16", "tags": props{"Name": "main"}})
	address := s.mustCreate(elasticIPT, "a", nil)
	out, err := s.runCommand("list")
	require.NoError(t, err)
	require.Regexp(t, `us-east-1\s+aws:ec2/vpc:Vpc\s+`+vpc.id+`\s+main`, out)
	require.NotContains(t, out, "securityGroup", "objects that AWS creates are listed only with --owned")
	out, err = s.runCommand("list", "--json", "--owned")
	require.NoError(t, err)
	var objects []store.Object
	require.NoError(t, json.Unmarshal([]byte(out), &objects))
	require.Len(t, objects, s.objectCount())

	export := filepath.Join(t.TempDir(), "export.json")
	require.NoError(t, os.WriteFile(export, []byte(`{"deployment":{"resources":[{"type":"`+vpcT+`","id":"`+vpc.id+`"}]}}`), 0o600))
	out, err = s.runCommand("list", "--not-in", export)
	require.NoError(t, err)
	require.Contains(t, out, address.id, "an object that is not in the export is listed")
	require.NotContains(t, out, vpc.id)

	_, err = s.runCommand("set", "Vpc", vpc.id, "enableDnsSupport=false", "tags.Owner=me")
	require.NoError(t, err)
	require.True(t, s.refresh(vpc))
	require.Equal(t, false, vpc.state["enableDnsSupport"])
	require.Equal(t, props{"Name": "main", "Owner": "me"}, vpc.state["tagsAll"])
	_, err = s.runCommand("delete", "ec2/eip:Eip", address.id)
	require.NoError(t, err)
	require.False(t, s.refresh(address))

	_, err = s.runCommand("fail", "--op", "create", "--type", "Eip", "--nth", "3", "--mode", "lose-reply")
	require.NoError(t, err)
	_, err = s.runCommand("slow", "--delay", "1ms")
	require.NoError(t, err)
	out, err = s.runCommand("faults")
	require.NoError(t, err)
	require.Equal(t, "lose-reply at call 3 of create aws:ec2/eip:Eip: 0 calls so far\n1ms longer for every call of *\n", out)
	_, err = s.runCommand("clear-faults")
	require.NoError(t, err)
	out, err = s.runCommand("faults")
	require.NoError(t, err)
	require.Empty(t, out)

	for reason, args := range map[string][]string{
		"an unknown type":  {"set", "Queue", "q", "a=b"},
		"an unknown id":    {"delete", "Vpc", "vpc-0"},
		"no value":         {"set", "Vpc", vpc.id, "enableDnsSupport"},
		"an unknown mode":  {"fail", "--mode", "explode"},
		"a missing export": {"list", "--not-in", export + ".not"},
		"no delay":         {"slow", "--delay", "0s"},
	} {
		_, err := s.runCommand(args...)
		require.Error(t, err, reason)
	}
}
