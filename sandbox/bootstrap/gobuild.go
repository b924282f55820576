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

// run builds one executable and says how far it is. The whole output goes to
// a log; what is not progress comes back in the error.
func (e executable) run(ctx context.Context, w where, log *progress.Log) error {
	return log.Step("building "+e.name, func(detail func(string)) error {
		stampFile := filepath.Join(w.logs(), "build-"+e.log+".stamp")
		stamp, err := e.digest(w)
		if err != nil {
			return err
		}
		info, err := os.Lstat(e.out)
		if regular := err == nil && info.Mode().IsRegular(); regular && e.stamp {
			if old, err := os.ReadFile(stampFile); err == nil && string(old) == stamp {
				return nil
			}
		} else if err == nil && !regular {
			// A link here leads to a tool that was installed once; go build would
			// write through it.
			if err := os.Remove(e.out); err != nil {
				return fmt.Errorf("%s: %w", e.out, err)
			}
		}
		if e.changed.module != "" {
			if e.modfile, err = e.change(ctx, w); err != nil {
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

// digest stands for everything that a stamped executable is built from; it is
// "" for the others. The go command that builds it has built this program too.
func (e executable) digest(w where) (string, error) {
	if !e.stamp {
		return "", nil
	}
	sum := sha256.New()
	fmt.Fprint(sum, runtime.Version(), e.pkg, e.flags, e.changed, e.embeds)
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

// change copies the changed module out of the module cache, which downloads
// and verifies it, into the sandbox's folder and makes the change there. It
// writes the documents that the package embeds, and returns the module file
// with which the build takes the copy.
func (e executable) change(ctx context.Context, w where) (modfile string, err error) {
	raw, err := w.goCommand(ctx, e.dir, "mod", "download", "-json", e.changed.module).Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w: %s", e.changed.module, err, raw)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(raw, &downloaded); err != nil {
		return "", fmt.Errorf("go mod download %s: %w", e.changed.module, err)
	}
	work := filepath.Join(w.sandbox, "build", e.log)
	if err := os.RemoveAll(work); err != nil {
		return "", err
	}
	upstream := filepath.Join(work, "upstream")
	if err := os.CopyFS(upstream, os.DirFS(downloaded.Dir)); err != nil {
		return "", fmt.Errorf("copy of %s: %w", e.changed.module, err)
	}
	if err := e.changed.apply(upstream); err != nil {
		return "", err
	}
	for _, document := range e.embeds {
		content, err := os.ReadFile(filepath.Join(upstream, document.file))
		if err != nil {
			return "", err
		}
		if content, err = withVersion(content, document.version); err != nil {
			return "", fmt.Errorf("%s of %s: %w", document.file, e.changed.module, err)
		}
		if err := os.WriteFile(filepath.Join(w.project, e.dir, document.out), content, 0o644); err != nil {
			return "", err
		}
	}
	modfile = filepath.Join(work, "go.mod")
	for name, more := range map[string]string{
		"go.mod": fmt.Sprintf("\nreplace %s => %q\n", e.changed.module, upstream), "go.sum": "",
	} {
		content, err := os.ReadFile(filepath.Join(w.project, e.dir, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(work, name), append(content, more...), 0o644); err != nil {
			return "", err
		}
	}
	return modfile, nil
}

// apply makes the change in a copy of the module. A version of the module that
// has another text fails here, and not as something half changed.
func (c changedModule) apply(dir string) error {
	file := filepath.Join(dir, c.file)
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := bytes.Count(content, []byte(c.before)); n != 1 {
		return fmt.Errorf("module %s: %s has %q %d times, must have it once: "+
			"look whether the pinned version still needs the change in bootstrap/executables.go", c.module, c.file, c.before, n)
	}
	return os.WriteFile(file, bytes.Replace(content, []byte(c.before), []byte(c.after), 1), 0o644)
}

// withVersion returns a JSON object without needless space, and with the
// version given unless that is "".
func withVersion(document []byte, version string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(document, &fields); err != nil {
		return nil, err
	}
	if version != "" {
		fields["version"] = json.RawMessage(strconv.Quote(version))
	}
	return json.Marshal(fields)
}

// listAfter is how long a build must last before its packages are counted: a
// warm build ends sooner and need not pay for the count.
const listAfter = 4 * time.Second

func (e executable) compile(ctx context.Context, w where, detail func(string)) error {
	logFile := filepath.Join(w.logs(), "build-"+e.log+".log")
	out, err := os.Create(logFile)
	if err != nil {
		return fmt.Errorf("log of the build: %w", err)
	}
	defer out.Close()

	cmd := w.goCommand(ctx, e.dir, slices.Concat([]string{"build", "-v", trimpath, "-modfile=" + e.modfile}, e.flags, []string{"-o", e.out, e.pkg})...)
	fmt.Fprintf(out, "%s$ %s\n", cmd.Dir, strings.Join(cmd.Args, " "))
	output, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("building %s: %w", e.name, err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return e.explain(ctx, w, err, "", logFile)
	}
	count := newCounter(detail)
	listing, stop := context.WithCancel(ctx)
	var lister sync.WaitGroup
	lister.Go(func() { e.countPackages(listing, w, count) })
	var messages strings.Builder // all that is not progress: the compiler's own
	for lines := bufio.NewReader(output); err == nil; {
		var line string
		line, err = lines.ReadString('\n')
		fmt.Fprint(out, line)
		if !count.line(strings.TrimSuffix(line, "\n")) {
			messages.WriteString(line)
		}
	}
	err = cmd.Wait()
	stop()
	lister.Wait()
	if err != nil {
		return e.explain(ctx, w, err, messages.String(), logFile)
	}
	return nil
}

// countPackages tells count which packages the build will compile. Its own
// failure costs only the total.
func (e executable) countPackages(ctx context.Context, w where, count *counter) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(listAfter):
	}
	raw, err := w.goCommand(ctx, e.dir, "list", "-modfile="+e.modfile, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", trimpath, e.pkg).Output()
	if err == nil {
		count.total(strings.Fields(string(raw)))
	}
}

// explain turns a failed build into what a person can act on.
func (e executable) explain(ctx context.Context, w where, err error, output, logFile string) error {
	output = strings.TrimSpace(output)
	if !strings.Contains(output, "no space left on device") {
		return fmt.Errorf("building %s: %w\n%s\n  The whole output is in %s", e.name, err, output, logFile)
	}
	var disks []string
	for _, dir := range append(goFolders(ctx, w), os.TempDir(), w.sandbox) {
		if _, free, err := preflight.Disk(dir); err == nil {
			disks = append(disks, fmt.Sprintf("    %s: %s free", dir, preflight.Gigabytes(free)))
		}
	}
	lines := strings.Split(output, "\n")
	return fmt.Errorf("building %s: no space left on the disk of one of these folders:\n%s\n  Free some (the Go caches are emptied by "+
		"go clean -cache -modcache), then run make again.\n%s", e.name, strings.Join(disks, "\n"), strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// goCommand is the go command in a folder of the project, with the environment
// of every build. An interrupt lets it tidy up.
func (w where) goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(w.project, dir)
	cmd.Env = w.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// counter follows the output of go build -v: one line for each package that
// it begins to compile, and one for each module that it downloads.
type counter struct {
	mu         sync.Mutex
	detail     func(string)
	downloaded int
	compiled   map[string]bool
	expected   map[string]bool
}

func newCounter(detail func(string)) *counter {
	return &counter{detail: detail, compiled: map[string]bool{}}
}

// packageLine is an import path alone on its line: the compiler's own messages
// have spaces or colons.
var packageLine = regexp.MustCompile(`^[A-Za-z0-9][\w.~/+-]*$`)

// line takes one line of output and says whether it was progress.
func (c *counter) line(s string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case strings.HasPrefix(s, "go: downloading "):
		c.downloaded++
	case packageLine.MatchString(s):
		c.compiled[s] = true
	default:
		return false
	}
	c.show()
	return true
}

// total takes the packages that were still to be compiled a while ago; those
// that were begun since are in both sets.
func (c *counter) total(stale []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = make(map[string]bool, len(stale))
	for _, pkg := range stale {
		c.expected[pkg] = true
	}
	c.show()
}

func (c *counter) show() {
	switch done := len(c.compiled); {
	case done == 0 && c.downloaded > 0:
		c.detail(fmt.Sprintf("%d modules downloaded", c.downloaded))
	case c.expected == nil:
		c.detail(fmt.Sprintf("%d packages", done))
	default:
		all := done
		for pkg := range c.expected {
			if !c.compiled[pkg] {
				all++
			}
		}
		text := fmt.Sprintf("%d of %d packages", done, all)
		if done == all {
			text += ", linking"
		}
		c.detail(text)
	}
}
