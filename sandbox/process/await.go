package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// tailLines is how many lines of a log an error contains. The reason of a problem is normally in
// the last lines, and more lines would hide the other text of the error.
const tailLines = 15

// DiedError is returned if a process ends before it is healthy.
type DiedError struct {
	Name string
	Log  string // path of the log
	Tail string // the last lines in the log that this run wrote
}

func (e *DiedError) Error() string {
	return fmt.Sprintf("%s ended while it was starting; the end of %s:\n%s", e.Name, e.Log, e.Tail)
}

// UnhealthyError is returned if a process runs but is not healthy in time.
type UnhealthyError struct {
	Name   string
	Waited time.Duration
	Log    string // path of the log
	Tail   string // the last lines of this run
	Last   error  // the error of the last check
}

func (e *UnhealthyError) Error() string {
	return fmt.Sprintf("%s runs but was not healthy within %s: %v; the end of %s:\n%s",
		e.Name, e.Waited.Round(time.Second), e.Last, e.Log, e.Tail)
}

// Unwrap returns the error of the last check.
func (e *UnhealthyError) Unwrap() error { return e.Last }

// awaitInterval is how often a starting process is checked.
const awaitInterval = 50 * time.Millisecond

// Await waits until check succeeds. It returns a *DiedError as soon as the
// process has ended, and an *UnhealthyError after the limit.
func Await(ctx context.Context, l *layout.Layout, name string, limit time.Duration, check func(context.Context) error) error {
	began := time.Now()
	limitedCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(awaitInterval)
	defer tick.Stop()
	var lastErr error
	for {
		err := check(limitedCtx)
		if err == nil {
			return nil
		}
		// If the time is over during a check, the error of this check does not say why the
		// process is not healthy. Then the error of the previous check is kept.
		if lastErr == nil || !errors.Is(err, context.DeadlineExceeded) {
			lastErr = err
		}
		if !Alive(l, name) {
			return &DiedError{Name: name, Log: LogPath(l, name), Tail: LogTail(l, name, tailLines)}
		}
		select {
		case <-limitedCtx.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("waiting for %s: %w", name, context.Cause(ctx))
			}
			return &UnhealthyError{Name: name, Waited: time.Since(began), Last: lastErr,
				Log: LogPath(l, name), Tail: LogTail(l, name, tailLines)}
		case <-tick.C:
		}
	}
}

// runMark is the beginning of the line that separates the runs of a process in its log.
const runMark = "=== started "

// startLine returns the line with which a run begins in the log.
func startLine(t time.Time) string { return runMark + t.UTC().Format(time.RFC3339) + " ===\n" }

// tailBytes is the maximum number of bytes at the end of a log that LogTail reads.
const tailBytes = 64 << 10

// LogTail returns the last lines that the latest run of a process wrote. It returns at
// most n lines.
func LogTail(l *layout.Layout, name string, n int) string {
	f, err := os.Open(LogPath(l, name))
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, end-tailBytes), io.SeekStart)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		return "(unreadable log: " + err.Error() + ")"
	}
	text := string(raw)
	if i := strings.LastIndex(text, runMark); i >= 0 {
		_, text, _ = strings.Cut(text[i:], "\n")
	}
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return "(it wrote nothing)"
	}
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
