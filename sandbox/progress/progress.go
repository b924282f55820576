// Package progress prints the progress of a long command: the number of the current step, the
// number of all steps, and the step's progress and duration. The package imports only the
// standard library, because the bootstrap uses the package before anything else is built.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// heartbeatInterval is the interval between two lines about a running step.
const heartbeatInterval = 10 * time.Second

// Log writes one line when a step starts, one every ten seconds while it runs,
// and one when it ends. It is safe for use by several goroutines.
type Log struct {
	mu       sync.Mutex
	out      io.Writer
	start    time.Time
	started  int // number of started steps
	expected int // number of all steps, as far as it is known
}

// New returns a Log that writes to out and expects a number of steps. The number is zero
// if it is not known.
func New(out io.Writer, steps int) *Log {
	return &Log{out: out, start: time.Now(), expected: steps}
}

// Expect adds to the number of expected steps.
func (l *Log) Expect(steps int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expected += steps
}

// Step runs work as the next step, and returns the error of work. work may call detail with its
// progress, such as "412 of 3081 packages". The next line about the step shows the last of these
// texts.
func (l *Log) Step(name string, work func(detail func(string)) error) error {
	l.mu.Lock()
	l.started++
	label := fmt.Sprintf("[%d/%d] %s", l.started, max(l.started, l.expected), name)
	l.mu.Unlock()
	var (
		mu         sync.Mutex
		lastDetail string
	)
	stepStart := time.Now()
	l.printLine("%s", label)
	done := make(chan struct{})
	var heartbeats sync.WaitGroup
	heartbeats.Go(func() {
		tick := time.NewTicker(heartbeatInterval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				mu.Lock()
				text := lastDetail
				mu.Unlock()
				if text != "" {
					text = ": " + text
				}
				l.printLine("%s … %s%s", label, FormatDuration(time.Since(stepStart)), text)
			}
		}
	})
	err := work(func(text string) {
		mu.Lock()
		lastDetail = text
		mu.Unlock()
	})
	close(done)
	heartbeats.Wait()
	if err != nil {
		l.printLine("%s failed after %s", label, FormatDuration(time.Since(stepStart)))
		return err
	}
	l.printLine("%s done in %s", label, FormatDuration(time.Since(stepStart)))
	return nil
}

// Say writes one line, which begins with the time since the Log was created.
func (l *Log) Say(format string, args ...any) { l.printLine(format, args...) }

func (l *Log) printLine(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%7s  %s\n", FormatDuration(time.Since(l.start)), fmt.Sprintf(format, args...))
}

// FormatDuration formats a duration for people: 0.4s, 12s, 3m07s.
func FormatDuration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	default:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
}
