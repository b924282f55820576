// Package queue limits how many requests run at the same time, and how many wait. It serves
// waiting requests by their priority. Callers own the work and its timeout.
package queue

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// Priority is the priority of a request. Within one priority the order is first
// in, first out.
type Priority int

// The priorities, highest first. A waiting request of a higher priority is always
// served first. A request that waits too long ends at its own deadline.
const (
	High Priority = iota
	Normal
	Low
	priorityCount // the number of priorities
)

// Priorities are the priorities by name.
var Priorities = map[string]Priority{"high": High, "normal": Normal, "low": Low}

// ErrFull means that the queue has its maximum length.
var ErrFull = errors.New("queue full")

// Queue is safe for concurrent use.
type Queue struct {
	limit int // of active requests
	depth int // the limit of queued requests

	mu      sync.Mutex
	active  int
	waiting [priorityCount]list.List // each element is a chan struct{}, closed when its request gets a slot
	queued  int
}

// New returns a queue with at most limit active and at most depth queued requests. Both
// must be above zero.
func New(limit, depth int) *Queue { return &Queue{limit: limit, depth: depth} }

// Enter waits for a slot. Call leave once to release the slot. The error is ErrFull, or
// the error of ctx if ctx ends first.
func (q *Queue) Enter(ctx context.Context, p Priority) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	if q.active < q.limit { // no request is queued in this case
		q.active++
		q.mu.Unlock()
		return q.leave, nil
	}
	if q.queued >= q.depth {
		q.mu.Unlock()
		return nil, ErrFull
	}
	ready := make(chan struct{})
	element := q.waiting[p].PushBack(ready)
	q.queued++
	q.mu.Unlock()

	select {
	case <-ready:
		return q.leave, nil
	case <-ctx.Done():
		q.giveUp(p, element, ready)
		return nil, ctx.Err()
	}
}

// giveUp removes a canceled request from the queue.
func (q *Queue) giveUp(p Priority, element *list.Element, ready chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-ready: // the request got a slot at the same moment, so it gives the slot to the next request
		q.passSlot()
	default:
		q.waiting[p].Remove(element)
		q.queued--
	}
}

// leave releases the slot of a request. The next queued request gets the slot.
func (q *Queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.passSlot()
}

// passSlot gives a released slot to the next queued request. If no request is queued, the
// slot becomes free. The caller holds mu.
func (q *Queue) passSlot() {
	for p := range q.waiting { // in the order of the priorities, highest first
		if first := q.waiting[p].Front(); first != nil {
			q.waiting[p].Remove(first)
			q.queued--
			close(first.Value.(chan struct{}))
			return
		}
	}
	q.active--
}

// Counts are the numbers of active and queued requests, and their limits. Limit is the
// limit of Active, and Depth is the limit of Queued.
type Counts struct {
	Active int `json:"active"`
	Limit  int `json:"limit"`
	Queued int `json:"queued"`
	Depth  int `json:"depth"`
}

// Counts returns the numbers at this moment.
func (q *Queue) Counts() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Counts{q.active, q.limit, q.queued, q.depth}
}
