package service

import "sync/atomic"

// Sessions counts the coordination sessions that are open and keeps them at or
// below a limit. It is safe for use by several goroutines.
type Sessions struct {
	limit  int64
	active atomic.Int64
}

// NewSessions allows up to limit sessions at once.
func NewSessions(limit int) *Sessions { return &Sessions{limit: int64(limit)} }

// Limit is the most that may be open at once.
func (s *Sessions) Limit() int { return int(s.limit) }

// Active is how many are open now.
func (s *Sessions) Active() int { return int(s.active.Load()) }

// Open takes a place; ok is false when none is free. The caller gives the
// place back by calling end; calling it again does nothing.
func (s *Sessions) Open() (end func(), ok bool) {
	for {
		now := s.active.Load()
		if now >= s.limit {
			return nil, false
		}
		if s.active.CompareAndSwap(now, now+1) {
			var ended atomic.Bool
			return func() {
				if ended.CompareAndSwap(false, true) {
					s.active.Add(-1)
				}
			}, true
		}
	}
}
