package testservers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is one server that runs; its output goes to a file in its folder.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// spawn starts a program that dies with this one. A nil credential means the
// user of the test.
func spawn(dir, path string, args []string, credential *syscall.Credential) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), log: filepath.Join(dir, "log"), done: make(chan struct{})}
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, output, output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.done)
	}()
	return p, nil
}

// end sends the signal and waits; what does not end in ten seconds is killed.
func (p *process) end(signal syscall.Signal) error {
	// A frozen process acts on no signal but SIGKILL.
	err := errors.Join(p.cmd.Process.Signal(signal), p.cmd.Process.Signal(syscall.SIGCONT))
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		err = errors.Join(err, p.cmd.Process.Kill())
		<-p.done
	}
	return err
}

// lastWords is the end of the log, for errors.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
