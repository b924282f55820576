package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/sync/singleflight"
)

// ECRLogin says how the provider logs in to ECR: with the AWS CLI, as a kubeconfig of EKS does. It
// has no secret and is the same in each run. So a refresh or a destroy, which run no program, log in
// anew at any time.
type ECRLogin struct {
	Region  string `pulumi:"region"`
	Profile string `pulumi:"profile,optional"`
	RoleARN string `pulumi:"roleArn,optional"`
}

// Annotate documents the login in the schema.
func (l *ECRLogin) Annotate(a infer.Annotator) {
	a.Describe(&l.Region, "Region of the registry.")
	a.Describe(&l.Profile, "Profile of AWS's config file; the credentials of the environment if empty.")
	a.Describe(&l.RoleARN, "Role that these credentials assume first; none if empty.")
}

// loginProblem returns the reason why a login is invalid, with the fix, or "".
func loginProblem(l *ECRLogin) string {
	if l != nil && l.Region == "" {
		return "has no region: set the region of the ECR registry, or remove the login to use the docker config"
	}
	return ""
}

// isForRegistry reports whether the registry is ECR in the login's region, which accepts the
// password (Amazon ECR User Guide, "Amazon ECR private registry").
func (l ECRLogin) isForRegistry(host string) bool {
	return strings.HasSuffix(host, ".dkr.ecr."+l.Region+".amazonaws.com")
}

const (
	// ecrUser is the user name for every password of ECR.
	ecrUser = "AWS"
	// roleSession is the name of the role's session. CloudTrail shows it.
	roleSession = "pulumi-resource-ko"
	// loginTimeout limits one login. It is as long as the AWS CLI waits for a connection.
	loginTimeout = time.Minute
	// outputTimeout limits the wait for a process that the AWS CLI has started and left behind.
	outputTimeout = time.Second
)

// errNoPassword means that the AWS CLI gave no password.
var errNoPassword = errors.New("no password for the registry")

// ecrPasswords gets the passwords of ECR. They are only in the memory of this process. ECR's
// passwords are valid for 12 hours, and the process ends with the engine. So a password is
// requested once for each login.
type ecrPasswords struct {
	timeout  time.Duration
	requests singleflight.Group
	received sync.Map // a password by its ECRLogin
}

// password returns the password of a login. Concurrent calls share one request. A failed request is
// repeated by the next call.
func (e *ecrPasswords) password(ctx context.Context, l ECRLogin) (string, error) {
	key := strings.Join([]string{l.Region, l.Profile, l.RoleARN}, "\n")
	password, err, _ := e.requests.Do(key, func() (any, error) {
		if password, ok := e.received.Load(l); ok {
			return password, nil
		}
		ctx, cancel := context.WithTimeoutCause(ctx, e.timeout, fmt.Errorf("no answer within %s", e.timeout))
		defer cancel()
		password, err := l.requestPassword(ctx)
		if err != nil {
			return "", err
		}
		e.received.Store(l, password)
		return password, nil
	})
	if err != nil {
		return "", err
	}
	return password.(string), nil
}

// authenticator returns the authenticator of a login.
func (e *ecrPasswords) authenticator(ctx context.Context, l ECRLogin) (authn.Authenticator, error) {
	password, err := e.password(ctx, l)
	if err != nil {
		return nil, err
	}
	return authn.FromConfig(authn.AuthConfig{Username: ecrUser, Password: password}), nil
}

// requestPassword runs `aws ecr get-login-password`. The command has no option for a role, so the
// role is assumed first.
func (l ECRLogin) requestPassword(ctx context.Context) (string, error) {
	env, options := os.Environ(), l.options()
	if l.RoleARN != "" {
		var err error
		if env, err = l.assumeRole(ctx, env); err != nil {
			return "", err
		}
		options = []string{"--region", l.Region}
	}
	command := append([]string{"ecr", "get-login-password"}, options...)
	output, err := l.runAWS(ctx, env, command)
	if err != nil {
		return "", err
	}
	password := strings.TrimSpace(string(output))
	if password == "" {
		return "", l.commandError(command, "it printed nothing")
	}
	return password, nil
}

// options returns the options that select the region and the identity. The profile is an option,
// because credentials in the environment would override AWS_PROFILE.
func (l ECRLogin) options() []string {
	options := []string{"--region", l.Region}
	if l.Profile != "" {
		options = append(options, "--profile", l.Profile)
	}
	return options
}

// roleVariables are variables of the environment that belong to the credentials in it. A role's
// credentials replace all of them. AWS_SECURITY_TOKEN is an old name of the session token, and the
// AWS CLI prefers it.
var roleVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
}

// assumeRole returns env with the credentials of the role.
func (l ECRLogin) assumeRole(ctx context.Context, env []string) ([]string, error) {
	command := append([]string{"sts", "assume-role", "--role-arn", l.RoleARN, "--role-session-name", roleSession, "--output", "json"}, l.options()...)
	output, err := l.runAWS(ctx, env, command)
	if err != nil {
		return nil, err
	}
	var response struct {
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	// The error of json could contain a part of the credentials, so it is not passed on.
	role := &response.Credentials
	if json.Unmarshal(output, &response) != nil || role.AccessKeyID == "" || role.SecretAccessKey == "" || role.SessionToken == "" {
		return nil, l.commandError(command, "it printed no credentials")
	}
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(roleVariables, name)
	})
	env = append(env, "AWS_ACCESS_KEY_ID="+role.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+role.SecretAccessKey, "AWS_SESSION_TOKEN="+role.SessionToken)
	if l.Profile != "" {
		// The other settings of the profile still apply, such as ca_bundle. Credentials in the
		// environment override those of AWS_PROFILE.
		env = append(env, "AWS_PROFILE="+l.Profile)
	}
	return env, nil
}

// runAWS runs a command of the AWS CLI and returns its standard output. An error has the standard
// error, and never the standard output, which has secrets.
func (l ECRLogin) runAWS(ctx context.Context, env, command []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "aws", command...)
	cmd.Env, cmd.WaitDelay = env, outputTimeout
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%w: `aws %s`: %w: install the AWS CLI, version 2, as aws on PATH", errNoPassword, strings.Join(command, " "), err)
	case ctx.Err() != nil:
		return nil, l.commandError(command, context.Cause(ctx).Error())
	}
	reason := err.Error()
	if text := strings.TrimSpace(stderr.String()); text != "" {
		reason += ": " + text
	}
	return nil, l.commandError(command, reason)
}

// commandError returns the error of a failed command, with the fix.
func (l ECRLogin) commandError(command []string, reason string) error {
	fix := "check the credentials of AWS in the environment (aws sts get-caller-identity)"
	if l.Profile != "" {
		fix = fmt.Sprintf("log in to the profile %s, such as with aws sso login --profile %s", l.Profile, l.Profile)
	}
	if l.RoleARN != "" {
		fix += "; these credentials must be allowed to assume " + l.RoleARN
	}
	return fmt.Errorf("%w: `aws %s`: %s; %s", errNoPassword, strings.Join(command, " "), reason, fix)
}
