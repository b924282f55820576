package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// PortInUseError is returned if another process listens on a port that the
// sandbox needs.
type PortInUseError struct {
	Port     int
	NeededBy string // the part of the sandbox that needs the port
	Holder   string // the process that listens there; empty if this user can't see it
}

func (e *PortInUseError) Error() string {
	holder, fix := "another process", "find it with `ss -ltnp` as root, stop it"
	if e.Holder != "" {
		holder, fix = e.Holder, "stop it"
	}
	return fmt.Sprintf("port %d in use: the sandbox's %s needs 127.0.0.1:%d, which %s listens on; %s, or give the sandbox other ports",
		e.Port, e.NeededBy, e.Port, holder, fix)
}

// portCloseTimeout is how long the kernel may keep the ports of a killed process in use
// after the process has disappeared from /proc.
const portCloseTimeout = 3 * time.Second

// CheckPorts tries to listen on every port on 127.0.0.1. It returns a *PortInUseError for
// each port in use; the errors are joined. If CheckPorts does not find the process that listens
// on a port, the kernel may still be closing the port of a killed process. So CheckPorts tries
// again until portCloseTimeout is over.
func CheckPorts(ports []layout.NamedPort) error {
	for deadline := time.Now().Add(portCloseTimeout); ; time.Sleep(pollInterval) {
		errs := tryPorts(ports)
		var inUse *PortInUseError
		holderUnknown := slices.ContainsFunc(errs, func(err error) bool { return errors.As(err, &inUse) && inUse.Holder == "" })
		if !holderUnknown || time.Now().After(deadline) {
			return errors.Join(errs...)
		}
	}
}

// tryPorts listens on each port for a moment and returns an error for each failure.
func tryPorts(ports []layout.NamedPort) []error {
	var errs []error
	for _, p := range ports {
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)))
		switch {
		case err == nil:
			l.Close()
		case errors.Is(err, syscall.EADDRINUSE):
			errs = append(errs, &PortInUseError{Port: p.Port, NeededBy: p.Name, Holder: describeHolder(p.Port)})
		default:
			errs = append(errs, fmt.Errorf("port %d for the sandbox's %s: %w", p.Port, p.Name, err))
		}
	}
	return errs
}

// describeHolder describes the process that listens on a port. It returns "" if the current user
// can't see that process.
func describeHolder(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for _, inode := range listenerInodes(string(raw), port) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !inodes[target] {
			continue
		}
		if name := describeProcess(strings.Split(fd, "/")[2]); name != "" {
			return name
		}
	}
	return ""
}

// describeProcess returns the beginning of a process's command line. If the process belongs to a
// sandbox, the description also has the sandbox's folder. If the process has ended, it returns "".
func describeProcess(pid string) string {
	cmdline, err := os.ReadFile("/proc/" + pid + "/cmdline")
	if err != nil || len(cmdline) == 0 {
		return ""
	}
	args := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	args[0] = filepath.Base(args[0])
	description := fmt.Sprintf("`%s` (process %s)", strings.Join(args[:min(3, len(args))], " "), pid)
	environ, _ := os.ReadFile("/proc/" + pid + "/environ")
	for _, kv := range strings.Split(string(environ), "\x00") {
		if dir, ok := strings.CutPrefix(kv, layout.Variable+"="); ok {
			return description + " of the sandbox in " + dir
		}
	}
	return description
}

// listenerInodes returns the inodes of the sockets that listen on a port, from a
// table in the format of /proc/net/tcp. The second field is ADDRESS:PORT in
// hexadecimal, the fourth the state (0A is LISTEN), the tenth the inode.
func listenerInodes(table string, port int) []string {
	var inodes []string
	for _, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		_, hex, ok := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseInt(hex, 16, 32); ok && err == nil && int(n) == port {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes
}
