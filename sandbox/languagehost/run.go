package languagehost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// statusLogged is the exit status of a program that has already reported its
// error to the engine (constant.ExitStatusLoggedError of the SDK).
const statusLogged = 32

// Run builds the program unless the options name a prebuilt one, runs it, and
// waits for its end.
func (h *host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	engineAddress := h.session.Address()
	if engineAddress == "" {
		return nil, errors.New("run: no engine address; call Handshake first")
	}
	if req.GetAttachDebugger() {
		return nil, unsupportedError("attaching a debugger")
	}
	opts, err := parseOptions(req.GetInfo().GetOptions())
	if err != nil {
		return nil, err
	}
	env, err := programEnviron(os.Environ(), req, engineAddress)
	if err != nil {
		return nil, err
	}
	ctx, release := h.session.CallContext(ctx)
	defer release()

	path, cleanup, err := h.ensureExecutable(ctx, req.GetInfo().GetProgramDirectory(), opts)
	if err != nil {
		return nil, err
	}
	defer cleanup()

	cmd := newCommand(ctx, req.GetPwd(), path)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = h.stdout, h.stderr
	err = cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		return nil, fmt.Errorf("the program %s was stopped: %w", path, cause)
	}
	return newRunResponse(path, err), nil
}

// newRunResponse returns the response for a program that ended with err.
func newRunResponse(path string, err error) *pulumirpc.RunResponse {
	var exitErr *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}
	case !errors.As(err, &exitErr):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("running the program %s: %v", path, err)}
	case exitErr.ExitCode() == statusLogged:
		return &pulumirpc.RunResponse{Bail: true}
	case exitErr.ExitCode() < 0: // ended by a signal
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program %s ended by %v", path, exitErr)}
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", exitErr.ExitCode())}
	}
}

// programEnviron returns the inherited variables and the variables from which the Go SDK reads the parameters of
// a run (go/pulumi/run.go). Like the real host, it leaves out empty values.
func programEnviron(inherited []string, req *pulumirpc.RunRequest, engineAddress string) ([]string, error) {
	config := ""
	if req.GetConfig() != nil {
		raw, err := json.Marshal(req.GetConfig())
		if err != nil {
			return nil, fmt.Errorf("encode the stack config: %w", err)
		}
		config = string(raw)
	}
	secretKeys := "[]"
	if req.GetConfigSecretKeys() != nil {
		raw, err := json.Marshal(req.GetConfigSecretKeys())
		if err != nil {
			return nil, fmt.Errorf("encode the secret keys of the stack config: %w", err)
		}
		secretKeys = string(raw)
	}
	env := append([]string(nil), inherited...)
	for _, variable := range [...]struct{ name, value string }{
		{"PULUMI_ORGANIZATION", req.GetOrganization()},
		{"PULUMI_PROJECT", req.GetProject()},
		{"PULUMI_ROOT_DIRECTORY", req.GetInfo().GetRootDirectory()},
		{"PULUMI_STACK", req.GetStack()},
		{"PULUMI_CONFIG", config},
		{"PULUMI_CONFIG_SECRET_KEYS", secretKeys},
		{"PULUMI_DRY_RUN", strconv.FormatBool(req.GetDryRun())},
		{"PULUMI_PARALLEL", strconv.Itoa(int(req.GetParallel()))},
		{"PULUMI_MONITOR", req.GetMonitorAddress()},
		{"PULUMI_ENGINE", engineAddress},
	} {
		if variable.value != "" {
			env = append(env, variable.name+"="+variable.value)
		}
	}
	return env, nil
}
