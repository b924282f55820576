//go:build linux

package diagnose

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// monitorVariable is the environment variable with the monitor that TestWatchProcess shows.
const monitorVariable = "TEST_WATCH_MONITOR"

// monitorEnded is the line that TestWatchProcess prints after the monitor has ended.
const monitorEnded = "the monitor has ended"

// TestWatchProcess runs in the terminal of TestScreenInATerminal, in a process of its own. It shows
// a monitor of a healthy platform, and below the monitor the number of the reading.
func TestWatchProcess(t *testing.T) {
	name := os.Getenv(monitorVariable)
	if name == "" {
		return // an ordinary run of the tests
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt) // as in main of pf
	defer stop()
	p, _ := newHealthyFixture().startPlatform(t)
	n := 0
	s := screen{interval: 20 * time.Millisecond, remaining: 10_000, read: func() (string, error) {
		n++
		text, err := monitors[name](ctx, p)
		return text + fmt.Sprintf("reading %d\n", n), err
	}}
	require.NoError(t, s.run(ctx, os.Stdout))
	// The kernel resets the terminal when this process ends, so it waits until the test has read
	// the terminal's mode.
	fmt.Println(monitorEnded)
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	require.NoError(t, err)
}

// terminal is a pseudoterminal with a process that runs in it. The test writes keys to testSide, and
// reads the output from it. processSide is the terminal of the process.
type terminal struct {
	testSide, processSide *os.File
	command               *exec.Cmd
	// initialSettings are the settings of the terminal before the process started.
	initialSettings unix.Termios
	mu              sync.Mutex
	output          bytes.Buffer
}

// startInTerminal runs TestWatchProcess in a terminal of 100 columns and 30 lines.
func startInTerminal(t *testing.T, monitor string) *terminal {
	t.Helper()
	testSide, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(testSide.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(testSide.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	processSide, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	term := &terminal{testSide: testSide, processSide: processSide}
	term.resize(t, 100, 30)
	term.initialSettings = term.readSettings(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	term.command = exec.CommandContext(ctx, os.Args[0], "-test.run=^TestWatchProcess$")
	// With another TERM, bubbletea requests the colours of the terminal, and waits 5 s for the
	// response.
	term.command.Env = append(os.Environ(), monitorVariable+"="+monitor, "TERM=screen")
	term.command.Stdin, term.command.Stdout, term.command.Stderr = processSide, processSide, processSide
	term.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, term.command.Start())
	readDone := make(chan struct{})
	go func() {
		defer close(readDone)
		for buffer := make([]byte, 4096); ; {
			n, err := testSide.Read(buffer)
			term.mu.Lock()
			term.output.Write(buffer[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = processSide.Close() // ends the reader
		<-readDone
		_ = testSide.Close()
	})
	return term
}

// resize sets the size of the terminal.
func (term *terminal) resize(t *testing.T, columns, lines uint16) {
	t.Helper()
	require.NoError(t, unix.IoctlSetWinsize(int(term.testSide.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: lines}))
}

// readSettings returns the settings of the terminal, such as whether it echoes keys.
func (term *terminal) readSettings(t *testing.T) unix.Termios {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(term.testSide.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return *mode
}

// waitForOutput waits until the output since the last call matches pattern, and returns that output.
func (term *terminal) waitForOutput(t *testing.T, pattern string) (output string) {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	require.Eventually(t, func() bool {
		term.mu.Lock()
		defer term.mu.Unlock()
		if !expression.MatchString(term.output.String()) {
			return false
		}
		output = term.output.String()
		term.output.Reset()
		return true
	}, 30*time.Second, 10*time.Millisecond, "%q", pattern)
	return output
}

// maxLineLength returns the length of the longest line of the last frame in an output.
func maxLineLength(output string) (widest int) {
	frames := strings.Split(output, cursorHome)
	for line := range strings.SplitSeq(controlSequence.ReplaceAllString(frames[len(frames)-1], ""), "\n") {
		widest = max(widest, len(strings.Trim(line, "\r")))
	}
	return widest
}

// Control sequences of a terminal (XTerm Control Sequences, "DEC Private Mode Set").
const (
	alternateScreen, normalScreen = "\x1b[?1049h", "\x1b[?1049l"
	hiddenCursor, visibleCursor   = "\x1b[?25l", "\x1b[?25h"
	cursorHome                    = "\x1b[H"
)

var controlSequence = regexp.MustCompile(`\x1b\[[?0-9;]*[A-Za-z]`)

// TestScreenInATerminal: readings are drawn again, no line is wider than the terminal after a
// resize, and each end restores the terminal.
func TestScreenInATerminal(t *testing.T) {
	for _, row := range []struct {
		monitor, heading, end string
		stop                  func(t *testing.T, term *terminal)
	}{
		{"redis", "FRAGMENTATION", "^C", func(t *testing.T, term *terminal) {
			_, err := term.testSide.WriteString("\x03")
			require.NoError(t, err)
		}},
		{"scaling", "DEPLOYMENT", "q", func(t *testing.T, term *terminal) {
			_, err := term.testSide.WriteString("q")
			require.NoError(t, err)
		}},
		{"redis", "FRAGMENTATION", "SIGINT", func(t *testing.T, term *terminal) { require.NoError(t, term.command.Process.Signal(os.Interrupt)) }},
	} {
		t.Run(row.monitor+" until "+row.end, func(t *testing.T) {
			term := startInTerminal(t, row.monitor)
			first := term.waitForOutput(t, `reading ([3-9]|\d\d)`)
			require.Contains(t, first, alternateScreen)
			require.Contains(t, first, hiddenCursor)
			require.Contains(t, first, row.heading)
			require.NotEqual(t, term.initialSettings.Lflag, term.readSettings(t).Lflag, "keys are read one by one")
			term.waitForOutput(t, `reading \d`) // the next reading
			// Only changed lines are drawn, except after a resize. The first frames may be drawn at
			// the old size.
			term.resize(t, 40, 30)
			for frame := term.waitForOutput(t, "q ends"); maxLineLength(frame) > 40; {
				frame = term.waitForOutput(t, "q ends")
			}
			row.stop(t, term)
			last := term.waitForOutput(t, monitorEnded)
			require.Contains(t, last, normalScreen)
			require.Contains(t, last, visibleCursor)
			require.Equal(t, term.initialSettings, term.readSettings(t), "the settings of the terminal are restored")
			_, err := term.testSide.WriteString("\n")
			require.NoError(t, err)
			require.NoError(t, term.command.Wait())
		})
	}
}
