package logging

import (
	"bufio"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// wait is how long a patient record may wait for others: what a person who
	// follows the log does not notice.
	wait = 50 * time.Millisecond
	// room is how many bytes of patient records wait at most; a record of a
	// request has about 350.
	room = 64 << 10
)

// lines are records on their way out. Patient ones share a write to the
// kernel, which costs nearly as much as all else about a record.
type lines struct {
	mu    sync.Mutex
	to    *bufio.Writer
	timer *time.Timer // runs while something waits
}

func newLines(out io.Writer) *lines {
	l := &lines{to: bufio.NewWriterSize(out, room)}
	l.timer = time.AfterFunc(wait, l.flush)
	l.timer.Stop()
	return l
}

// Write takes one record.
func (l *lines) Write(record []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to.Buffered() == 0 {
		l.timer.Reset(wait)
	}
	return l.to.Write(record)
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer.Stop()
	_ = l.to.Flush() // nobody is left to be told
}

// Patient returns a logger whose records below warning may wait up to 50 ms for
// others, so that many cost little. Any other record of the same log takes them
// along; a process that is killed loses those that wait.
func Patient(log *slog.Logger) *slog.Logger {
	h, ours := log.Handler().(*handler)
	if !ours {
		return log
	}
	patient := *h
	patient.patient = true
	return slog.New(&patient)
}

// Flush lets out what waits; a process does so before it ends.
func Flush(log *slog.Logger) {
	if h, ours := log.Handler().(*handler); ours {
		h.lines.flush()
	}
}
