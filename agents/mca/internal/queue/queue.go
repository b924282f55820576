// Package queue bounds how many requests work at once and how many wait, and
// serves those that wait by priority. It owns the order. What the work is, and
// how long it may take, is its callers'.
package queue

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// Priority is how soon a request is served; within one priority the first come
// is the first served.
type Priority int

// The priorities. High always goes before Normal, and Normal before Low. A
// request that waits too long leaves at its own deadline.
const (
	High Priority = iota
	Normal
	Low
	priorities
)

// Priorities are the priorities by name.
var Priorities = map[string]Priority{"high": High, "normal": Normal, "low": Low}

// ErrFull means that the highest number of requests wait already.
var ErrFull = errors.New("queue full")

// Queue is safe for use by several goroutines.
type Queue struct {
	limit, depth int

	mu      sync.Mutex
	active  int
	waiting [priorities]list.List // of chan struct{}, closed when it gets a place
	queued  int
}

// New returns a queue that lets limit requests work at once and depth wait; both
// are above zero.
func New(limit, depth int) *Queue { return &Queue{limit: limit, depth: depth} }

// Enter waits for a place. Call leave once to give it back. The error is ErrFull
// at once, or that of ctx when it ends first.
func (q *Queue) Enter(ctx context.Context, p Priority) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	if q.active < q.limit { // then nobody waits
		q.active++
		q.mu.Unlock()
		return q.leave, nil
	}
	if q.queued >= q.depth {
		q.mu.Unlock()
		return nil, ErrFull
	}
	turn := make(chan struct{})
	place := q.waiting[p].PushBack(turn)
	q.queued++
	q.mu.Unlock()

	select {
	case <-turn:
		return q.leave, nil
	case <-ctx.Done():
		q.giveUp(p, place, turn)
		return nil, ctx.Err()
	}
}

func (q *Queue) giveUp(p Priority, place *list.Element, turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-turn: // it got its place at the same moment: hand it on
		q.next()
	default:
		q.waiting[p].Remove(place)
		q.queued--
	}
}

func (q *Queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next()
}

// next hands a free place to the next that waits. The caller holds mu.
func (q *Queue) next() {
	for p := range q.waiting {
		if first := q.waiting[p].Front(); first != nil {
			q.waiting[p].Remove(first)
			q.queued--
			close(first.Value.(chan struct{}))
			return
		}
	}
	q.active--
}

// Counts are the numbers of requests that work and wait, and their limits.
type Counts struct {
	Active int `json:"active"`
	Limit  int `json:"limit"`
	Queued int `json:"queued"`
	Depth  int `json:"depth"`
}

// Counts returns the counts of this moment.
func (q *Queue) Counts() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Counts{q.active, q.limit, q.queued, q.depth}
}
