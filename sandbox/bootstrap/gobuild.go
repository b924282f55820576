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

// run builds one executable and shows the progress. The whole output goes to a
// log file; the error contains the compiler's messages.
func (e executable) run(ctx context.Context, w workspace, log *progress.Log) error {
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
			// A link here leads to a tool that was installed earlier; go build would
			// overwrite that tool.
			if err := os.Remove(e.out); err != nil {
				return fmt.Errorf("%s: %w", e.out, err)
			}
		}
		if e.patched.module != "" {
			if e.modfile, err = e.patch(ctx, w); err != nil {
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

// digest is a hash of everything that a stamped executable is built from; it is "" for
// other executables. runtime.Version is the version of the go command, because the same
// go command has built this program.
func (e executable) digest(w workspace) (string, error) {
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

// patch copies the module from the module cache, which downloads and verifies
// it, into the sandbox's folder and replaces the text there. It writes the
// documents that the package embeds. It returns the module file that replaces
// the module with the copy.
func (e executable) patch(ctx context.Context, w workspace) (modfile string, err error) {
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
	upstream := filepath.Join(work, "upstream")
	if err := os.CopyFS(upstream, os.DirFS(downloaded.Dir)); err != nil {
		return "", fmt.Errorf("copy of %s: %w", e.patched.module, err)
	}
	if err := e.patched.apply(upstream); err != nil {
		return "", err
	}
	for _, document := range e.embeds {
		content, err := os.ReadFile(filepath.Join(upstream, document.file))
		if err != nil {
			return "", err
		}
		if content, err = withVersion(content, document.version); err != nil {
			return "", fmt.Errorf("%s of %s: %w", document.file, e.patched.module, err)
		}
		if err := os.WriteFile(filepath.Join(w.project, e.dir, document.out), content, 0o644); err != nil {
			return "", err
		}
	}
	modfile = filepath.Join(work, "go.mod")
	for name, more := range map[string]string{
		"go.mod": fmt.Sprintf("\nreplace %s => %q\n", e.patched.module, upstream), "go.sum": "",
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

// apply replaces the text in a copy of the module. It fails if this version of
// the module does not have the text exactly once.
func (c patchedModule) apply(dir string) error {
	file := filepath.Join(dir, c.file)
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := bytes.Count(content, []byte(c.before)); n != 1 {
		return fmt.Errorf("module %s: %s has %q %d times, must have it once: "+
			"check whether the pinned version still needs the patch in bootstrap/executables.go", c.module, c.file, c.before, n)
	}
	return os.WriteFile(file, bytes.Replace(content, []byte(c.before), []byte(c.after), 1), 0o644)
}

// withVersion returns a JSON object without whitespace, and with the given
// version unless that is "".
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

// listAfter is how long a build must last before its packages are counted. A
// warm build ends sooner and does not pay for the count.
const listAfter = 4 * time.Second

// compile runs go build, and writes its command line and output to the log file. It
// passes detail the number of compiled packages.
func (e executable) compile(ctx context.Context, w workspace, detail func(string)) error {
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
	var messages strings.Builder // lines that are not progress: the compiler's messages
	for lines := bufio.NewReader(output); err == nil; {
		var line string
		line, err = lines.ReadString('\n')
		fmt.Fprint(out, line)
		if !count.countLine(strings.TrimSuffix(line, "\n")) {
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

// countPackages passes count the packages that the build will compile. If it
// fails, only the total is missing.
func (e executable) countPackages(ctx context.Context, w workspace, count *counter) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(listAfter):
	}
	raw, err := w.goCommand(ctx, e.dir, "list", "-modfile="+e.modfile, "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", trimpath, e.pkg).Output()
	if err == nil {
		count.setTotal(strings.Fields(string(raw)))
	}
}

// explain returns the error of a failed build. If a disk is full, the error lists the
// free space of each folder.
func (e executable) explain(ctx context.Context, w workspace, err error, output, logFile string) error {
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
	return fmt.Errorf("building %s: no space left on the disk of one of these folders:\n%s\n  Free some space (go clean -cache -modcache "+
		"empties the Go caches), then run make again.\n%s", e.name, strings.Join(disks, "\n"), strings.Join(lines[max(0, len(lines)-5):], "\n"))
}

// goCommand returns a go command in a folder of the project, with the
// environment of every build. A cancelled context interrupts it, so that it
// removes its temporary files.
func (w workspace) goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(w.project, dir)
	cmd.Env = w.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// counter counts lines of the output of go build -v: one for each package when
// its compilation begins, and one for each downloaded module.
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

// packageLine matches an import path alone on its line; the compiler's messages
// have spaces or colons.
var packageLine = regexp.MustCompile(`^[A-Za-z0-9][\w.~/+-]*$`)

// countLine counts one line of output. It returns true if the line shows progress.
func (c *counter) countLine(s string) (isProgress bool) {
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

// setTotal sets the packages that the build must compile. The list is made during the
// build, so a package can be both in the list and compiled already.
func (c *counter) setTotal(stale []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = make(map[string]bool, len(stale))
	for _, pkg := range stale {
		c.expected[pkg] = true
	}
	c.show()
}

// show passes detail the progress: the downloaded modules until the first package,
// and then the compiled packages.
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
