// Package progress prints the progress of a long command: which step of how
// many runs, what it does now, and for how long. It imports the standard library
// only, because the bootstrap uses it before anything else is built.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// heartbeat is how often a step that is still running says so.
const heartbeat = 10 * time.Second

// Log writes one line when a step starts, one every ten seconds while it runs,
// and one when it ends. It is safe for use by several goroutines.
type Log struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
	n, m  int // the started steps, and all expected steps
}

// New returns a Log that writes to out and expects m steps; m is zero if the
// number is not known.
func New(out io.Writer, m int) *Log {
	return &Log{out: out, start: time.Now(), m: m}
}

// Expect adds m to the number of expected steps.
func (l *Log) Expect(m int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.m += m
}

// Step runs do as the next step. While it runs, do may call detail with its
// progress, such as "412 of 3081 packages"; the next heartbeat shows it.
func (l *Log) Step(name string, do func(detail func(string)) error) error {
	l.mu.Lock()
	l.n++
	label := fmt.Sprintf("[%d/%d] %s", l.n, max(l.n, l.m), name)
	l.mu.Unlock()
	var (
		mu   sync.Mutex
		last string
	)
	began := time.Now()
	l.print("%s", label)
	done := make(chan struct{})
	var beats sync.WaitGroup
	beats.Add(1)
	go func() {
		defer beats.Done()
		tick := time.NewTicker(heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				mu.Lock()
				text := last
				mu.Unlock()
				if text != "" {
					text = ": " + text
				}
				l.print("%s … %s%s", label, Elapsed(time.Since(began)), text)
			}
		}
	}()
	err := do(func(s string) {
		mu.Lock()
		last = s
		mu.Unlock()
	})
	close(done)
	beats.Wait()
	if err != nil {
		l.print("%s failed after %s", label, Elapsed(time.Since(began)))
		return err
	}
	l.print("%s done in %s", label, Elapsed(time.Since(began)))
	return nil
}

// Say writes one line with the time since the Log began.
func (l *Log) Say(format string, args ...any) { l.print(format, args...) }

func (l *Log) print(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%7s  %s\n", Elapsed(time.Since(l.start)), fmt.Sprintf(format, args...))
}

// Elapsed formats a duration for people: 0.4s, 12s, 3m07s.
func Elapsed(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	default:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
}
