// Package store stores the objects of the stand-in, by account, region, type and id. The
// store is separate from Pulumi's state, so a refresh can find differences between the
// two.
//
// The store is a journal: a file with one line for each transaction. All processes use the
// same lock. A writer appends a line under the lock. A reader applies the lines since its
// last read. A process that is killed during a write leaves at most one incomplete line.
// Readers ignore that line, and the next writer removes it.
package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Global is the region of objects without a region, such as IAM's objects.
const Global = "global"

// lockTimeout is how long a call waits for the lock. A transaction takes milliseconds, so
// the timeout only ends a wait for a process that hangs.
const lockTimeout = 30 * time.Second

// Scope is the account and the region of an object.
type Scope struct {
	Account string `json:"account"`
	Region  string `json:"region"`
}

// Key identifies one object.
type Key struct {
	Scope
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Object is one object of AWS.
type Object struct {
	Key
	// Owner is the id of the object that owns this one, such as the VPC of a default
	// security group. AWS creates and deletes the two together. Owner is empty if a program
	// or a user created the object.
	Owner string `json:"owner,omitempty"`
	// Created is the time of the creation.
	Created time.Time `json:"created"`
	// State has all properties, inputs and outputs, as plain values.
	State map[string]any `json:"state"`
}

// op is one operation of a transaction: either Put or Delete is set.
type op struct {
	Put    *Object `json:"put,omitempty"`
	Delete *Key    `json:"delete,omitempty"`
}

// Store is an open journal. It is safe for concurrent use, also by other
// processes.
type Store struct {
	path string

	mu      sync.Mutex
	objects map[Scope]map[string]map[string]Object // by scope, type, id
	inode   uint64                                 // the inode of the file that was read
	offset  int64                                  // the position after the last complete line
	lines   int                                    // the number of lines that were read
}

// Open opens the journal in the folder dir. It creates the folder if it does not exist.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the AWS store: %w", err)
	}
	return &Store{path: filepath.Join(dir, "store.jsonl")}, nil
}

// View calls read with the current objects. No process can change them before read returns.
func (s *Store) View(ctx context.Context, read func(*Tx) error) error {
	return s.withLock(ctx, syscall.LOCK_SH, func() error {
		return read(&Tx{store: s})
	})
}

// Update calls change, and then writes all changes of the transaction. If change returns an
// error, Update writes no change.
func (s *Store) Update(ctx context.Context, change func(*Tx) error) error {
	return s.withLock(ctx, syscall.LOCK_EX, func() error {
		tx := &Tx{store: s}
		if err := change(tx); err != nil {
			return err
		}
		return s.commit(tx.ops)
	})
}

// withLock takes the lock, applies the changes of other processes, calls do, and releases the
// lock. mode is LOCK_SH for a reader and LOCK_EX for a writer. withLock returns an error if the
// wait for the lock takes longer than lockTimeout.
func (s *Store) withLock(ctx context.Context, mode int, do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lock, err := os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock of the AWS store: %w", err)
	}
	defer lock.Close() // also releases the lock
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for {
		err := syscall.Flock(int(lock.Fd()), mode|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock of the AWS store: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another process holds the lock of the AWS store %s: %w", s.path, ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	if err := s.catchUp(); err != nil {
		return err
	}
	return do()
}

// reset removes all objects from memory. catchUp calls reset before it reads a whole file. inode
// is the inode of that file.
func (s *Store) reset(inode uint64) {
	s.objects, s.inode, s.offset, s.lines = map[Scope]map[string]map[string]Object{}, inode, 0, 0
}

// catchUp applies the lines that were appended since the last read. If the file was replaced,
// catchUp reads the whole file.
func (s *Store) catchUp() error {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		s.reset(0)
		return nil
	}
	if err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	inode := info.Sys().(*syscall.Stat_t).Ino
	if inode != s.inode || info.Size() < s.offset {
		s.reset(inode)
	}
	if _, err := f.Seek(s.offset, io.SeekStart); err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	reader := bufio.NewReader(f)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // an incomplete line is ignored
		}
		if err != nil {
			return fmt.Errorf("AWS store: %w", err)
		}
		var ops []op
		if err := json.Unmarshal(line, &ops); err != nil {
			return fmt.Errorf("AWS store %s, line %d is damaged: %w", s.path, s.lines+1, err)
		}
		s.apply(ops)
		s.offset += int64(len(line))
		s.lines++
	}
}

// apply applies the changes of a transaction to the objects in memory.
func (s *Store) apply(ops []op) {
	for _, o := range ops {
		switch {
		case o.Put != nil:
			types := s.objects[o.Put.Scope]
			if types == nil {
				types = map[string]map[string]Object{}
				s.objects[o.Put.Scope] = types
			}
			if types[o.Put.Type] == nil {
				types[o.Put.Type] = map[string]Object{}
			}
			types[o.Put.Type][o.Put.ID] = *o.Put
		case o.Delete != nil:
			delete(s.objects[o.Delete.Scope][o.Delete.Type], o.Delete.ID)
		}
	}
}

// A journal is compacted if it has more than compactLines lines, and more than compactRatio
// lines for each object. Smaller journals are read in milliseconds.
const (
	compactLines = 1000
	compactRatio = 4
)

// commit appends a line with the changes of a transaction. If most lines of the journal are
// outdated, it compacts the journal instead.
func (s *Store) commit(ops []op) error {
	if len(ops) == 0 {
		return nil
	}
	line, err := json.Marshal(ops)
	if err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	// The changes are decoded from the line. So this process has the same values as other
	// processes, and shares no value with the caller.
	var decoded []op
	if err := json.Unmarshal(line, &decoded); err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	if s.lines > compactLines && s.lines > compactRatio*s.objectCount() {
		s.apply(decoded)
		return s.compact()
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	defer f.Close()
	// catchUp has read all complete lines. So only an incomplete line can follow the offset.
	if err := f.Truncate(s.offset); err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	line = append(line, '\n')
	if _, err := f.WriteAt(line, s.offset); err != nil {
		return fmt.Errorf("writing the AWS store (is the disk full?): %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	s.inode = info.Sys().(*syscall.Stat_t).Ino
	s.apply(decoded)
	s.offset += int64(len(line))
	s.lines++
	return nil
}

// compact replaces the journal by a file with one line for each object.
func (s *Store) compact() error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	lines := 0
	tx := &Tx{store: s}
	for _, object := range tx.All() {
		if err := enc.Encode([]op{{Put: &object}}); err != nil {
			return fmt.Errorf("AWS store: %w", err)
		}
		lines++
	}
	next := s.path + ".next"
	if err := os.WriteFile(next, buf.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing the AWS store (is the disk full?): %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("AWS store: %w", err)
	}
	s.inode, s.offset, s.lines = info.Sys().(*syscall.Stat_t).Ino, int64(buf.Len()), lines
	return nil
}

// objectCount returns the number of all objects.
func (s *Store) objectCount() int {
	total := 0
	for _, types := range s.objects {
		for _, objects := range types {
			total += len(objects)
		}
	}
	return total
}
