package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed node/package.json node/package-lock.json node/cachemanager.js node/bench.js
var program embed.FS

// seed is the document's CacheManager in processes of Node, one for each core.
type seed struct {
	dir       string
	processes [cores]*node
}

type node struct {
	cmd     *exec.Cmd
	tasks   io.WriteCloser
	answers *bufio.Scanner
}

// task is what one process is told; bench.js says what it means.
type task struct {
	Do           string `json:"do"`
	InFlight     int    `json:"inFlight,omitempty"`
	Milliseconds int64  `json:"milliseconds,omitempty"`
}

// newSeed installs the CacheManager's libraries into a temporary folder and
// fills its caches. An error that wraps exec.ErrNotFound means that there is no
// Node here.
func newSeed(ctx context.Context, addresses []string) (_ *seed, err error) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, err
		}
	}
	s := &seed{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "cache-bench-"); err != nil {
		return nil, err
	}
	if err := s.install(ctx); err != nil {
		return nil, err
	}
	for i := range s.processes {
		if s.processes[i], err = s.start(ctx, addresses); err != nil {
			return nil, err
		}
	}
	_, err = s.ask(task{Do: "fill"}, cores)
	return s, err
}

func (s *seed) install(ctx context.Context) error {
	files, err := program.ReadDir("node")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := program.ReadFile("node/" + file.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.dir, file.Name()), text, 0o600); err != nil {
			return err
		}
	}
	values := map[userID]*plan{}
	for _, user := range users {
		values[user] = planOf(user)
	}
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "values.json"), text, 0o600); err != nil {
		return err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = s.dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
}

func (s *seed) start(ctx context.Context, addresses []string) (*node, error) {
	cmd := exec.CommandContext(ctx, "node", "bench.js")
	cmd.Dir, cmd.Stderr = s.dir, os.Stderr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NODE_ENV=production", "REDIS_ADDRESSES=" + strings.Join(addresses, ",")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	tasks, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &node{cmd, tasks, bufio.NewScanner(answers)}, cmd.Start()
}

func (s *seed) contestants() []contestant {
	compare := func(name, tier string, workers, processes int) contestant {
		return contestant{name, func(each time.Duration) (int, error) {
			return s.ask(task{tier, workers, each.Milliseconds()}, processes)
		}}
	}
	return []contestant{
		compare(localSeed, "local", 1, 1),
		compare(localSeeds, "local", cores, cores),
		compare(localKept, "kept", cores, cores),
		compare(redisSeed, "redis", inFlight, 1),
		compare(redisSeeds, "redis", inFlight, cores),
	}
}

// ask gives the task to so many processes at once and adds up their counts.
// What is in flight is shared among them.
func (s *seed) ask(t task, processes int) (sum int, err error) {
	t.InFlight /= processes
	line, err := json.Marshal(t)
	if err != nil {
		return 0, err
	}
	for _, process := range s.processes[:processes] {
		if _, err := process.tasks.Write(append(line, '\n')); err != nil {
			return 0, fmt.Errorf("node has ended: %w", err)
		}
	}
	for _, process := range s.processes[:processes] {
		if !process.answers.Scan() {
			return 0, fmt.Errorf("node ended at %s", line)
		}
		var count int
		if err := json.Unmarshal(process.answers.Bytes(), &count); err != nil {
			return 0, fmt.Errorf("node answers %q to %s: %w", process.answers.Text(), line, err)
		}
		sum += count
	}
	return sum, nil
}

// close ends the processes, which end with their input, and removes the folder.
func (s *seed) close() error {
	var errs []error
	for _, process := range s.processes {
		if process != nil {
			errs = append(errs, process.tasks.Close(), process.cmd.Wait())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
