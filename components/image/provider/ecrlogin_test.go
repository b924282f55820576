package provider

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/stretchr/testify/require"
)

// fakeAWS is a command `aws` in a folder that is first on PATH.
type fakeAWS struct {
	t      *testing.T
	folder string
}

// awsScript is the fake AWS CLI. It records its arguments and the variables of AWS. A test controls
// it with files: password is the output for ECR, and credentials is the output for STS. With the
// file stderr it fails, and with the file hang it does not end.
const awsScript = `#!/bin/sh
cd "${0%/*}" || exit
echo "$*" >>calls
env | grep '^AWS_' | sort >"env-$1"
[ ! -e hang ] || exec sleep 600
if [ -e stderr ]; then
	cat password credentials
	cat stderr >&2
	exit 254
fi
case "$1 $2" in
"ecr get-login-password") cat password ;;
"sts assume-role") cat credentials ;;
*) exit 252 ;;
esac
`

// roleCredentials is the output of `aws sts assume-role`.
const roleCredentials = `{"Credentials": {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "role-secret", "SessionToken": "role-token", "Expiration": "2026-12-02T10:00:00Z"}}`

// newFakeAWS puts a fake AWS CLI on PATH, which prints the password.
func newFakeAWS(t *testing.T, password string) *fakeAWS {
	t.Helper()
	a := &fakeAWS{t, t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(a.folder, "aws"), []byte(awsScript), 0o700))
	a.write("password", password+"\n")
	a.write("credentials", roleCredentials)
	t.Setenv("PATH", a.folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	return a
}

// write writes a file that controls the command.
func (a *fakeAWS) write(name, content string) {
	a.t.Helper()
	writeFile(a.t, a.folder, name, content)
}

// calls returns the arguments of each call.
func (a *fakeAWS) calls() []string {
	a.t.Helper()
	content, err := os.ReadFile(filepath.Join(a.folder, "calls"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(a.t, err)
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}

// environment returns those of the variables that the last call of a service had.
func (a *fakeAWS) environment(service string, variables []string) []string {
	a.t.Helper()
	content, err := os.ReadFile(filepath.Join(a.folder, "env-"+service))
	require.NoError(a.t, err)
	return slices.DeleteFunc(strings.Fields(string(content)), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return !slices.Contains(variables, name)
	})
}

// loginInput returns the input login. Tests share one provider, so each test has a profile of its own.
func loginInput(t *testing.T) map[string]property.Value {
	return map[string]property.Value{"login": property.New(map[string]property.Value{
		"region": property.New("us-east-1"), "profile": property.New(t.Name()),
	})}
}

func TestLoginRunsTheAWSCLI(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/deployer"
	variables := append([]string{"AWS_PROFILE", "AWS_REGION"}, roleVariables...)
	var inherited []string
	for _, name := range variables {
		t.Setenv(name, "shell")
		inherited = append(inherited, name+"=shell")
	}
	withRole := func(profile string) []string {
		return []string{"AWS_REGION=shell", "AWS_PROFILE=" + profile,
			"AWS_ACCESS_KEY_ID=ASIAROLE", "AWS_SECRET_ACCESS_KEY=role-secret", "AWS_SESSION_TOKEN=role-token"}
	}
	for _, tc := range []struct {
		reason      string
		login       ECRLogin
		calls       []string
		environment []string // of the last call
	}{
		{"the credentials of the environment", ECRLogin{Region: "eu-west-1"}, []string{"ecr get-login-password --region eu-west-1"}, inherited},
		{"a profile, which the environment does not override", ECRLogin{Region: "eu-west-1", Profile: "platform"},
			[]string{"ecr get-login-password --region eu-west-1 --profile platform"}, inherited},
		{"a role of the environment's credentials", ECRLogin{Region: "eu-west-1", RoleARN: role}, []string{
			"sts assume-role --role-arn " + role + " --role-session-name pulumi-resource-ko --output json --region eu-west-1",
			"ecr get-login-password --region eu-west-1",
		}, withRole("shell")},
		{"a role of a profile", ECRLogin{Region: "eu-west-1", Profile: "platform", RoleARN: role}, []string{
			"sts assume-role --role-arn " + role + " --role-session-name pulumi-resource-ko --output json --region eu-west-1 --profile platform",
			"ecr get-login-password --region eu-west-1",
		}, withRole("platform")},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			aws := newFakeAWS(t, "monday")
			passwords := &ecrPasswords{timeout: loginTimeout}
			auth, err := passwords.authenticator(t.Context(), tc.login)
			require.NoError(t, err)
			config, err := auth.Authorization()
			require.NoError(t, err)
			require.Equal(t, []string{"AWS", "monday"}, []string{config.Username, config.Password})
			require.Equal(t, tc.calls, aws.calls())
			require.ElementsMatch(t, tc.environment, aws.environment("ecr", variables))
		})
	}
}

func TestLoginErrorNamesTheCommandTheReasonAndTheFix(t *testing.T) {
	platform := ECRLogin{Region: "us-east-1", Profile: "platform"}
	for _, tc := range []struct {
		reason  string
		prepare func(*fakeAWS)
		login   ECRLogin
		want    []string
	}{
		{"no AWS CLI", func(a *fakeAWS) { t.Setenv("PATH", t.TempDir()) }, platform,
			[]string{"`aws ecr get-login-password --region us-east-1 --profile platform`", "not found", "install the AWS CLI, version 2"}},
		{"an expired session", func(a *fakeAWS) { a.write("stderr", "\nThe SSO session has expired\n") }, platform,
			[]string{"`aws ecr get-login-password --region us-east-1 --profile platform`: exit status 254: The SSO session has expired; log in to the profile platform"}},
		{"no credentials", func(a *fakeAWS) { a.write("stderr", "Unable to locate credentials") }, ECRLogin{Region: "us-east-1"},
			[]string{"exit status 254: Unable to locate credentials; check the credentials of AWS in the environment"}},
		{"a refused role", func(a *fakeAWS) { a.write("stderr", "AccessDenied") }, ECRLogin{Region: "us-east-1", RoleARN: "arn:aws:iam::123456789012:role/x"},
			[]string{"`aws sts assume-role --role-arn arn:aws:iam::123456789012:role/x ", "exit status 254: AccessDenied; ", "must be allowed to assume arn:aws:iam::123456789012:role/x"}},
		{"a role without credentials", func(a *fakeAWS) { a.write("credentials", `{"Credentials": {"SessionToken": "role-token"}}`) }, ECRLogin{Region: "us-east-1", RoleARN: "r"},
			[]string{"`aws sts assume-role --role-arn r ", "it printed no credentials"}},
		{"a role in another format", func(a *fakeAWS) { a.write("credentials", "role-token") }, ECRLogin{Region: "us-east-1", RoleARN: "r"},
			[]string{"it printed no credentials"}},
		{"an empty password", func(a *fakeAWS) { a.write("password", "\n") }, platform, []string{"it printed nothing"}},
		{"a command that hangs", func(a *fakeAWS) { a.write("hang", "") }, platform,
			[]string{"`aws ecr get-login-password --region us-east-1 --profile platform`: no answer within 50ms; log in to the profile platform"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			aws := newFakeAWS(t, "monday")
			tc.prepare(aws)
			passwords := &ecrPasswords{timeout: loginTimeout}
			if tc.reason == "a command that hangs" {
				passwords.timeout = 50 * time.Millisecond
			}
			_, err := passwords.password(t.Context(), tc.login)
			require.ErrorIs(t, err, errNoPassword)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			for _, secret := range []string{"monday", "role-token", "role-secret"} {
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestPasswordIsRequestedOnceForEachLogin(t *testing.T) {
	aws := newFakeAWS(t, "monday")
	aws.write("stderr", "throttled")
	passwords := &ecrPasswords{timeout: loginTimeout}
	one, other := ECRLogin{Region: "us-east-1"}, ECRLogin{Region: "eu-west-1"}
	_, err := passwords.password(t.Context(), one)
	require.ErrorContains(t, err, "throttled")
	require.NoError(t, os.Remove(filepath.Join(aws.folder, "stderr")))

	var group sync.WaitGroup
	received := make([]string, 8)
	for i := range received {
		group.Go(func() { received[i], _ = passwords.password(t.Context(), one) })
	}
	group.Wait()
	for _, password := range received {
		require.Equal(t, "monday", password)
	}
	require.Len(t, aws.calls(), 2, "the failed request, which is not kept, and one that succeeded")
	_, err = passwords.password(t.Context(), other)
	require.NoError(t, err)
	require.Len(t, aws.calls(), 3, "another region has another password")
}

// requireNoPassword asserts that neither the inputs nor the outputs have the password.
func (s *stack) requireNoPassword(password string) {
	s.t.Helper()
	for _, properties := range []property.Map{s.inputs, s.state} {
		require.NotContains(s.t, property.New(properties).GoString(), password)
	}
}

// A refresh and a destroy run no program. They may run days after the update, in another process.
func TestEachRunLogsInAnew(t *testing.T) {
	registry := newRegistry(t)
	token := "monday"
	registry.password.Store(&token)
	aws := newFakeAWS(t, "monday")
	dir := newModule(t, map[string]string{"main.go": helloSource})
	programInputs := imageInputs(testImportPath(t), dir, registry.host+"/shop/tiny", loginInput(t))
	s := newStack(t, "tiny")
	_, _ = s.preview(programInputs)
	require.Empty(t, aws.calls(), "a preview of a new image does not use the registry")
	require.True(t, s.up(programInputs))
	require.Len(t, aws.calls(), 1, "all requests of an update use one password")
	require.NotContains(t, s.state.AsMap(), "login")
	s.requireNoPassword("monday")

	token = "tuesday"
	aws.write("password", "tuesday")
	s.server = newStack(t, "tiny").server
	diff, _ := s.preview(programInputs)
	require.False(t, diff.HasChanges)
	require.False(t, s.up(programInputs))
	require.Len(t, aws.calls(), 1, "nothing changed, so the registry is not used")
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)
	require.Len(t, aws.calls(), 2)
	deleted := s.state.Set("reference", property.New(registry.host+"/shop/tiny@sha256:"+strings.Repeat("0", 64)))
	resp, err := s.server.Read(p.ReadRequest{ID: s.id, Urn: s.urn, Properties: deleted, Inputs: s.inputs})
	require.NoError(t, err)
	require.Empty(t, resp.ID, "the login was accepted, so \"not found\" means a missing image")

	token = "wednesday"
	aws.write("password", "wednesday")
	s.server = newStack(t, "tiny").server
	require.NoError(t, s.destroy())
	registry.password.Store(nil)
	requireMissing(t, s.output("reference"))
}

// States of earlier versions have a password among the inputs. It leaves the state with the next
// update or refresh, which needs no build.
func TestStateWithAPasswordOfAnEarlierVersion(t *testing.T) {
	registry := newRegistry(t)
	dir := newModule(t, map[string]string{"main.go": helloSource})
	programInputs := imageInputs(testImportPath(t), dir, registry.host+"/shop/tiny")
	s := newStack(t, "tiny")
	require.True(t, s.up(programInputs))
	s.inputs = s.inputs.Set("credentials", property.New(map[string]property.Value{
		"username": property.New("AWS"), "password": property.New("sunday").WithSecret(true),
	}))
	former := s.inputs
	token := "monday"
	registry.password.Store(&token)

	s.server = newStack(t, "tiny").server
	resp, err := s.server.Read(p.ReadRequest{ID: s.id, Urn: s.urn, Properties: s.state, Inputs: s.inputs})
	require.NoError(t, err)
	require.Equal(t, s.id, resp.ID, "the login fails, so the state is kept")
	require.NotContains(t, resp.Inputs.AsMap(), "credentials")

	aws := newFakeAWS(t, "monday")
	brokenGo := filepath.Join(aws.folder, "go") // a build would fail
	require.NoError(t, os.WriteFile(brokenGo, []byte("#!/bin/sh\nexit 1\n"), 0o700))
	for k, v := range loginInput(t) {
		programInputs[k] = v
	}
	diff, _ := s.preview(programInputs)
	require.False(t, diff.HasChanges)
	require.False(t, s.up(programInputs))
	s.requireNoPassword("sunday")
	require.Empty(t, aws.calls())
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)
	require.Len(t, aws.calls(), 1, "the state has the login now")

	require.NoError(t, os.Remove(brokenGo))
	s.inputs = former
	writeFile(t, dir, "main.go", "package main\n\nfunc main() { println(\"changed\") }\n")
	require.True(t, s.up(programInputs))
	s.requireNoPassword("sunday")
	s.inputs = former
	require.NoError(t, s.destroy(), "without a login the image stays, and the destroy continues")
}

func TestPromotedImageLogsIn(t *testing.T) {
	registry := newRegistry(t)
	keyPath, publicKey := newSigningKey(t)
	source := createSignedImage(t, registry, keyPath)
	token := "monday"
	registry.password.Store(&token)
	aws := newFakeAWS(t, "monday")
	s, programInputs := newPromotion(t, source.output("reference"), registry.host+"/prod/web", publicKey)
	for k, v := range loginInput(t) {
		programInputs[k] = v
	}
	require.True(t, s.up(programInputs))
	require.Len(t, aws.calls(), 1)
	s.requireNoPassword("monday")
	require.NotContains(t, s.state.AsMap(), "login")

	s.server = newStack(t, "web").server
	require.False(t, s.up(programInputs))
	require.Len(t, aws.calls(), 1, "nothing changed, so the registry is not used")
	s.inputs = s.inputs.Set("credentials", property.New(map[string]property.Value{"username": property.New("AWS"), "password": property.New("sunday")}))
	exists, err := s.refresh()
	require.NoError(t, err)
	require.True(t, exists)
	require.Len(t, aws.calls(), 2)
	require.NoError(t, s.destroy())
	registry.password.Store(nil)
	requireMissing(t, s.output("reference"))
}

func TestPushReportsAFailedLogin(t *testing.T) {
	registry := newRegistry(t)
	token := "monday"
	registry.password.Store(&token)
	aws := newFakeAWS(t, "monday")
	aws.write("stderr", "The SSO session has expired")
	base, err := stackWithCheckedInputs()
	require.NoError(t, err)
	inputs := base.inputs.Set("repository", property.New(registry.host+"/shop/tiny")).Set("login", loginInput(t)["login"])
	_, err = base.server.Create(p.CreateRequest{Urn: base.urn, Properties: inputs})
	require.ErrorContains(t, err, "The SSO session has expired; log in to the profile "+t.Name())
	require.NotContains(t, err.Error(), "check that the registry runs")
	require.NotContains(t, err.Error(), "monday")
}

func TestLoginIsForECRInItsRegion(t *testing.T) {
	login := ECRLogin{Region: "us-east-1"}
	for host, want := range map[string]bool{
		"123456789012.dkr.ecr.us-east-1.amazonaws.com":             true,
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com":             false,
		"123456789012.dkr.ecr.us-east-1.amazonaws.com.example.com": false,
		"registry.example.com":                                     false,
	} {
		require.Equal(t, want, login.isForRegistry(host), host)
	}
}

func TestLoginNeedsARegion(t *testing.T) {
	login := map[string]property.Value{"login": property.New(map[string]property.Value{"region": property.New("")})}
	_, failures := newStack(t, "tiny").check(imageInputs(testImportPath(t), t.TempDir(), "localhost:1/shop/tiny", login))
	require.Contains(t, failures["login"], "set the region of the ECR registry")
}
