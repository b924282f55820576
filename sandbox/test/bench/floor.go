package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// programStack is a stack of one of the Pulumi programs in the subfolders, in a temporary
// project. The stack uses the same language host as the platform's program. This host checks
// the sources before every run.
type programStack struct {
	*runner
	stack string
}

// newProgramStack creates a temporary project, and an empty stack of the Pulumi program called
// name. env are additional environment variables of the program. The returned function destroys
// the stack and removes the project.
func (r *runner) newProgramStack(ctx context.Context, name string, env ...string) (*programStack, func(), error) {
	p, err := r.newProject(ctx, filepath.Join("sandbox", "test", "bench", name), "buildTarget", "bench")
	if err != nil {
		return nil, nil, err
	}
	p.env = append(p.env, env...)
	return p, func() { p.remove(ctx, "destroy", "--yes", "--skip-preview", "--remove", "--stack", p.stack) }, nil
}

// newProject creates a temporary project with an empty stack. main is the folder of the program.
// option is buildTarget or binary, the option of Pulumi's Go language host for the program's
// executable: the file "program" in the project.
func (r *runner) newProject(ctx context.Context, main, option, stack string) (*programStack, error) {
	dir, err := os.MkdirTemp("", "pf-bench-")
	if err != nil {
		return nil, err
	}
	for file, content := range map[string]string{
		"Pulumi.yaml": fmt.Sprintf("name: %s\nmain: %s\nruntime:\n  name: go\n  options:\n    %s: %s\nplugins:\n  providers:\n    - name: ko\n      path: %s\n",
			filepath.Base(dir), filepath.Join(r.layout.Project, main), option, filepath.Join(dir, "program"), filepath.Join(r.layout.Project, "bin")), // a name of its own: two stacks can exist at a time
		"Pulumi." + stack + ".yaml": "config:\n  aws:region: us-east-1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	// The rules of the policy pack are for the platform's program only.
	p := &programStack{runner: r.withDir(dir).withPolicyPack(""), stack: stack}
	if err := p.run(ctx, "pulumi", "stack", "init", p.stack); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

// remove runs a Pulumi command that removes the stack, and then removes the project.
func (p *programStack) remove(ctx context.Context, args ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	if err := p.run(ctx, "pulumi", args...); err != nil {
		fmt.Fprintf(os.Stderr, "bench: could not remove the stack %s of the project %s: %v\n", p.stack, p.dir, err)
		return
	}
	os.RemoveAll(p.dir)
}

// up runs `pulumi up` and returns its duration.
func (p *programStack) up(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	err := p.run(ctx, "pulumi", "up", "--yes", "--skip-preview", "--stack", p.stack)
	return time.Since(start), err
}

// compareWithFloor compares a preview of the platform without the policy pack with the floor,
// which is the shortest possible time. resources are those of the platform's stack. The floor is
// the preview of the program Empty with as many AWS resources and Kubernetes objects as the
// platform. Another preview of Empty has as many resources, all of AWS. The difference shows how
// much time the Kubernetes objects take.
func (r *runner) compareWithFloor(ctx context.Context, stack string, resources []resource, runs int) ([]row, error) {
	objectCount := 0
	for _, res := range resources {
		if res.isKubernetesObject() {
			objectCount++
		}
	}
	otherCount := len(resources) - objectCount
	awsOnly, destroyAWSOnly, err := r.newFloor(ctx, fmt.Sprintf("RESOURCES=%d", len(resources)))
	if err != nil {
		return nil, err
	}
	defer destroyAWSOnly()
	withObjects, destroyWithObjects, err := r.newFloor(ctx, fmt.Sprintf("RESOURCES=%d", otherCount), fmt.Sprintf("OBJECTS=%d", objectCount))
	if err != nil {
		return nil, err
	}
	defer destroyWithObjects()
	replay, removeReplay, err := r.newReplay(ctx, stack)
	if err != nil {
		return nil, err
	}
	defer removeReplay()
	previews, err := timeInTurns(ctx, runs, r.withPolicyPack("").preview(stack), awsOnly, withObjects, replay)
	if err != nil {
		return nil, err
	}
	ratio := previews[0].median().Seconds() / previews[2].median().Seconds()
	leastRatio := previews[3].median().Seconds() / previews[2].median().Seconds()
	return []row{
		{"`pulumi preview` without a policy pack, in turns with three other programs", previews[0].describe(), ""},
		{fmt.Sprintf("… of an empty program with as many resources (%d) of AWS", len(resources)), previews[1].describe(), ""},
		{fmt.Sprintf("… of an empty program with %d resources of AWS and %d objects of Kubernetes", otherCount, objectCount), previews[2].describe(), ""},
		{"… ratio of the medians, to the second empty program", fmt.Sprintf("%.2f", ratio), "at most 1.5 (prod)"},
		{"… of a program that registers the same resources and computes nothing", previews[3].describe(), ""},
		{"… ratio of that, to the second empty program", fmt.Sprintf("%.2f", leastRatio), ""},
	}, nil
}

// newFloor creates a stack of the program Empty. env are its environment variables. It returns the
// command of a preview, and a function that destroys the stack.
func (r *runner) newFloor(ctx context.Context, env ...string) (preview command, destroy func(), err error) {
	stack, destroy, err := r.newProgramStack(ctx, "empty", env...)
	if err != nil {
		return command{}, nil, fmt.Errorf("empty program: %w", err)
	}
	if _, err := stack.up(ctx); err != nil {
		destroy()
		return command{}, nil, fmt.Errorf("empty program: %w", err)
	}
	return stack.preview(stack.stack), destroy, nil
}

// newReplay creates a stack of the program Replay that has the resources of another stack. The
// stack has the same name, because the tags of images contain it. The folder of the program is that of
// the platform's program, because paths in the inputs of images begin there. newReplay returns the
// command of a preview, and a function that removes the stack.
func (r *runner) newReplay(ctx context.Context, stack string) (preview command, remove func(), err error) {
	state, err := r.runAndCapture(ctx, "pulumi", "stack", "export", "--show-secrets", "--stack", stack)
	if err != nil {
		return command{}, nil, err
	}
	replay, err := r.newProject(ctx, "infra", "binary", stack)
	if err != nil {
		return command{}, nil, fmt.Errorf("replay: %w", err)
	}
	// The resources are those of the other stack, so they are not destroyed.
	remove = func() { replay.remove(ctx, "stack", "rm", "--force", "--yes", "--stack", replay.stack) }
	file := filepath.Join(replay.dir, "state.json")
	replay.env = append(replay.env, "STATE="+file)
	builder := r.withDir(filepath.Join(r.layout.Project, "sandbox"))
	if err := errors.Join(
		builder.run(ctx, "go", "build", "-o", filepath.Join(replay.dir, "program"), "./test/bench/replay"),
		os.WriteFile(file, replay.adopt(state), 0o600),
		replay.run(ctx, "pulumi", "stack", "import", "--stack", replay.stack, "--file", file),
	); err != nil {
		remove()
		return command{}, nil, fmt.Errorf("replay: %w", err)
	}
	return replay.preview(replay.stack), remove, nil
}

// adopt replaces the name of the platform's project in an exported state with that of p.
func (p *programStack) adopt(state []byte) []byte {
	project := filepath.Base(p.dir)
	return []byte(strings.NewReplacer(
		"::progressive-framework::", "::"+project+"::",
		"::progressive-framework-"+p.stack+`"`, "::"+project+"-"+p.stack+`"`,
	).Replace(string(state)))
}
