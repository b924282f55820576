package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/preflight"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// build builds one executable as a step of the log. It writes the output of the go command
// to a log file. An error contains the compiler's messages.
func (e executable) build(ctx context.Context, w workspace, log *progress.Log) error {
	return log.Step("building "+e.name, func(detail func(string)) error {
		stampFile := filepath.Join(w.logs(), "build-"+e.log+".stamp")
		stamp, err := e.hashInputs(w)
		if err != nil {
			return err
		}
		info, err := os.Lstat(e.out)
		exists := err == nil
		switch {
		case exists && !info.Mode().IsRegular():
			// This is a link to a tool that was installed earlier. go build would
			// overwrite that tool.
			if err := os.Remove(e.out); err != nil {
				return fmt.Errorf("%s: %w", e.out, err)
			}
		case exists && e.stamp:
			if lastStamp, err := os.ReadFile(stampFile); err == nil && string(lastStamp) == stamp {
				return nil
			}
		}
		if e.patched.module != "" {
			if e.modfile, err = e.patchModule(ctx, w); err != nil {
				return fmt.Errorf("building %s: %w", e.name, err)
			}
		}
		if err := e.compile(ctx, w, detail); err != nil || !e.stamp {
			return err
		}
		if err := os.WriteFile(stampFile, []byte(stamp), 0o644); err != nil {
			return fmt.Errorf("stamp of %s: %w", e.name, err)
		}
		return nil
	})
}

// hashInputs returns a hash of all inputs of the build if the field stamp is set, and "" otherwise.
// One input is the version of the go command. It is equal to runtime.Version, because the same go
// command has built this program.
func (e executable) hashInputs(w workspace) (string, error) {
	if !e.stamp {
		return "", nil
	}
	sum := sha256.New()
	fmt.Fprint(sum, runtime.Version(), e.pkg, e.flags, e.patched, e.embeds)
	dir := filepath.Join(w.project, e.dir)
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", fmt.Errorf("building %s: %w", e.name, err)
	}
	for _, file := range append(sources, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")) {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("building %s: %w", e.name, err)
		}
		sum.Write(raw)
	}
	return fmt.Sprintf("%x\n", sum.Sum(nil)), nil
}

// patchModule copies the module from the module cache into the sandbox's folder and replaces
// the text in the copy. It also writes the documents that the package embeds, and a copy of
// go.mod that replaces the module with the patched copy. It returns the path of this go.mod.
func (e executable) patchModule(ctx context.Context, w workspace) (modfile string, err error) {
	raw, err := w.goCommand(ctx, e.dir, "mod", "download", "-json", e.patched.module).Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w: %s", e.patched.module, err, raw)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(raw, &downloaded); err != nil {
		return "", fmt.Errorf("go mod download %s: %w", e.patched.module, err)
	}
	work := filepath.Join(w.sandbox, "build", e.log)
	if err := os.RemoveAll(work); err != nil {
		return "", err
	}
	moduleCopy := filepath.Join(work, "upstream")
	if err := os.CopyFS(moduleCopy, os.DirFS(downloaded.Dir)); err != nil {
		return "", fmt.Errorf("copy of %s: %w", e.patched.module, err)
	}
	if err := e.patched.apply(moduleCopy); err != nil {
		return "", err
	}
	for _, document := range e.embeds {
		content, err := os.ReadFile(filepath.Join(moduleCopy, document.file))
		if err != nil {
			return "", err
		}
		if content, err = setVersion(content, document.version); err != nil {
			return "", fmt.Errorf("%s of %s: %w", document.file, e.patched.module, err)
		}
		if err := os.WriteFile(filepath.Join(w.project, e.dir, document.out), content, 0o644); err != nil {
			return "", err
		}
	}
	modfile = filepath.Join(work, "go.mod")
	for name, addition := range map[string]string{
		"go.mod": fmt.Sprintf("\nreplace %s => %q\n", e.patched.module, moduleCopy), "go.sum": "",
	} {
		content, err := os.ReadFile(filepath.Join(w.project, e.dir, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(work, name), append(content, addition...), 0o644); err != nil {
			return "", err
		}
	}
	return modfile, nil
}

// apply replaces the text in a copy of the module. If the module does not contain the
// text exactly once, apply returns an error.
func (m patchedModule) apply(dir string) error {
	file := filepath.Join(dir, m.file)
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := bytes.Count(content, []byte(m.before)); n != 1 {
		return fmt.Errorf("module %s: %s has %q %d times, must have it once: "+
			"check whether the pinned version still needs the patch in bootstrap/executables.go", m.module, m.file, m.before, n)
	}
	return os.WriteFile(file, bytes.Replace(content, []byte(m.before), []byte(m.after), 1), 0o644)
}

// setVersion sets the field version of a JSON object, and removes the whitespace. If version is "",
// the fields of the object do not change.
func setVersion(document []byte, version string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil {
		return nil, err
	}
	if version != "" {
		fields["version"] = json.RawMessage(strconv.Quote(version))
	}
	return json.Marshal(fields)
}

// countDelay is the time from the start of a build to the start of `go list`, which counts the
// packages. A build with filled caches ends earlier, and `go list` would only slow it down.
const countDelay = 4 * time.Second

// compile runs go build, and writes its command line and output to the log file. It
// calls detail with the number of compiled packages.
func (e executable) compile(ctx context.Context, w workspace, detail func(string)) error {
	logFile := filepath.Join(w.logs(), "build-"+e.log+".log")
	logOutput, err := os.Create(logFile)
	if err != nil {
		return fmt.Errorf("log of the build: %w", err)
	}
	defer logOutput.Close()

	cmd := w.goCommand(ctx, e.dir, slices.Concat([]string{"build", "-v", trimpath, "-modfile=" + e.modfile}, e.flags, []string{"-o", e.out, e.pkg})...)
	fmt.Fprintf(logOutput, "%s$ %s\n", cmd.Dir, strings.Join(cmd.Args, " "))
	output, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("building %s: %w", e.name, err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return e.buildError(ctx, w, err, "", logFile)
	}
	packageCounter := newCounter(detail)
	listCtx, stop := context.WithCancel(ctx)
	var lister sync.WaitGroup
	lister.Go(func() { e.countPackages(listCtx, w, packageCounter) })
	var messages strings.Builder // the compiler's messages, which are the lines that show no progress
	for lines := bufio.NewReader(output); err == nil; {
		var line string
		line, err = lines.ReadString('\n')
		fmt.Fprint(logOutput, line)
		if !packageCounter.countLine(strings.TrimSuffix(line, "\n")) {
			messages.WriteString(line)
		}
	}
	err = cmd.Wait()
	stop()
	lister.Wait()
	if err != nil {
		return e.buildError(ctx, w, err, messages.String(), logFile)
	}
	return nil
}

// countPackages waits for countDelay. Then it lists the packages that the build must compile,
// and passes them to packageCounter. If the go command fails, the progress is shown without a
// total.
func (e executable) countPackages(ctx context.Context, w workspace, packageCounter *counter) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(countDelay):
	}
	raw, err := w.goCommand(ctx, e.dir, "list", "-modfile="+e.modfile, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", trimpath, e.pkg).Output()
	if err == nil {
		packageCounter.setTotal(strings.Fields(string(raw)))
	}
}

// buildError returns the error of a failed build. If a disk is full, the error lists the
// free space of each folder.
func (e executable) buildError(ctx context.Context, w workspace, err error, output, logFile string) error {
	output = strings.TrimSpace(output)
	if !strings.Contains(output, "no space left on device") {
		return fmt.Errorf("building %s: %w\n%s\n  The whole output is in %s", e.name, err, output, logFile)
	}
	var disks []string
	for _, dir := range append(goCacheFolders(ctx, w), os.TempDir(), w.sandbox) {
		if _, free, err := preflight.Disk(dir); err == nil {
			disks = append(disks, fmt.Sprintf("    %s: %s free", dir, preflight.FormatGibibytes(free)))
		}
	}
	lines := strings.Split(output, "\n")
	return fmt.Errorf("building %s: no space left on the disk of one of these folders:\n%s\n  Free some space (go clean -cache -modcache "+
		"empties the Go caches), then run make again.\n%s", e.name, strings.Join(disks, "\n"), strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// goCommand returns a go command in a folder of the project, with the environment of every build. If
// ctx is canceled, the go command is interrupted, so that it removes its temporary files. It is
// killed if it has not ended 10 s later.
func (w workspace) goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(w.project, dir)
	cmd.Env = w.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// counter counts packages and modules in the output of go build -v. The output has a line
// for each downloaded module, and for each package when its compilation begins.
type counter struct {
	mu         sync.Mutex
	detail     func(string)    // shows the progress
	downloaded int             // modules
	compiled   map[string]bool // packages in the output
	expected   map[string]bool // packages that countPackages has listed; nil until then
}

func newCounter(detail func(string)) *counter {
	return &counter{detail: detail, compiled: map[string]bool{}}
}

// packageLine matches a line that is only an import path. The compiler's messages contain
// spaces or colons.
var packageLine = regexp.MustCompile(`^[A-Za-z0-9][\w.~/+-]*$`)

// countLine counts one line of output. It returns true if the line shows progress.
func (c *counter) countLine(line string) (isProgress bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		c.downloaded++
	case packageLine.MatchString(line):
		c.compiled[line] = true
	default:
		return false
	}
	c.showProgress()
	return true
}

// setTotal sets the packages that the build must compile. go list finds these packages while
// the build runs, so the build may have compiled some of them already.
func (c *counter) setTotal(stale []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = make(map[string]bool, len(stale))
	for _, pkg := range stale {
		c.expected[pkg] = true
	}
	c.showProgress()
}

// showProgress calls detail with the number of downloaded modules until the first package is
// compiled, and then with the number of compiled packages.
func (c *counter) showProgress() {
	switch compiled := len(c.compiled); {
	case compiled == 0 && c.downloaded > 0:
		c.detail(fmt.Sprintf("%d modules downloaded", c.downloaded))
	case c.expected == nil:
		c.detail(fmt.Sprintf("%d packages", compiled))
	default:
		total := compiled
		for pkg := range c.expected {
			if !c.compiled[pkg] {
				total++
			}
		}
		message := fmt.Sprintf("%d of %d packages", compiled, total)
		if compiled == total {
			message += ", linking"
		}
		c.detail(message)
	}
}
