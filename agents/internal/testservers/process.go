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

// process is a running server. Its output is in a file in its folder.
type process struct {
	cmd     *exec.Cmd
	logFile string        // the path of the output
	done    chan struct{} // closed when the process has exited
}

// spawn starts a program. The kernel kills the program when this process ends. With a
// nil credential the program runs as the test's user.
func spawn(dir, path string, args []string, credential *syscall.Credential) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), logFile: filepath.Join(dir, "log"), done: make(chan struct{})}
	output, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
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
		_ = p.cmd.Wait() // the log has the reason
		close(p.done)
	}()
	return p, nil
}

// end sends the signal and waits. After ten seconds it kills the process.
func (p *process) end(signal syscall.Signal) error {
	// A frozen process handles only SIGKILL, so SIGCONT is also sent.
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

// readLogTail returns the end of the log, for error texts.
func (p *process) readLogTail() string {
	content, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-2000):])
}
