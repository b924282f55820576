package registry

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
)

var (
	errUploadUnknown = errors.New("no such upload")
	errUploadBusy    = errors.New("another request is writing this upload")
	errUploadOffset  = errors.New("the chunk does not begin where the upload ends")
)

// mismatchError is content that is not what its digest says.
type mismatchError struct{ want, got digest }

func (e *mismatchError) Error() string {
	return fmt.Sprintf("content has digest %s, not %s as announced", e.got, e.want)
}

func (s *store) blobPath(d digest) string { return s.path("blobs", "sha256", d.hex()) }

// blob opens a blob whose content is as its digest says. A damaged one counts
// as missing, so that the next push heals it. Content is hashed once in a
// process's life and again when size or time of the file have changed.
func (s *store) blob(d digest) (*os.File, error) {
	f, err := os.Open(s.blobPath(d))
	if err != nil {
		return nil, missing(err)
	}
	if err := s.verify(f, d); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *store) verify(f *os.File, d digest) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	now := stamp{size: info.Size(), mtime: info.ModTime()}
	s.mu.Lock()
	seen, ok := s.verified[d]
	s.mu.Unlock()
	if ok && seen == now {
		return nil
	}
	got, err := digestOfReader(f)
	if err != nil {
		return err
	}
	if got != d {
		slog.Warn("registry: damaged blob is not served", "digest", d, "found", got, "size", now.size)
		return errNotFound
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.remember(d, now)
	return nil
}

func (s *store) remember(d digest, checked stamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verified[d] = checked
}

func (s *store) hasBlob(d digest) (bool, error) {
	f, err := s.blob(d)
	if errors.Is(err, errNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

func (s *store) deleteBlob(d digest) error { return missing(os.Remove(s.blobPath(d))) }

// newUpload begins a blob and returns the upload's id.
func (s *store) newUpload() (string, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	id := hex.EncodeToString(raw)
	f, err := os.OpenFile(s.path("uploads", id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	return id, f.Close()
}

// withUpload runs do on an upload that no other request may touch meanwhile.
func (s *store) withUpload(id string, do func(path string) error) error {
	s.mu.Lock()
	_, taken := s.busy[id]
	if !taken {
		s.busy[id] = struct{}{}
	}
	s.mu.Unlock()
	if taken {
		return errUploadBusy
	}
	defer func() {
		s.mu.Lock()
		delete(s.busy, id)
		s.mu.Unlock()
	}()
	return do(s.path("uploads", id))
}

// anyOffset is for a body that says nothing of where it begins.
const anyOffset = -1

// appendUpload adds body to an upload and returns the upload's size. With
// offset other than anyOffset the upload must have that size before. An upload
// that could not be written to the end is dropped: it would only hold space.
func (s *store) appendUpload(id string, offset int64, body io.Reader) (size int64, err error) {
	err = s.withUpload(id, func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return uploadMissing(err)
		}
		info, err := f.Stat()
		if err != nil {
			return errors.Join(err, f.Close())
		}
		if offset != anyOffset && offset != info.Size() {
			return errors.Join(fmt.Errorf("%w: it begins at %d, the upload has %d bytes", errUploadOffset, offset, info.Size()), f.Close())
		}
		n, err := io.Copy(f, body)
		size = info.Size() + n
		if err := errors.Join(err, f.Close()); err != nil {
			return errors.Join(err, os.Remove(path))
		}
		return nil
	})
	return size, err
}

// uploadSize returns how many bytes of an upload have arrived.
func (s *store) uploadSize(id string) (int64, error) {
	info, err := os.Stat(s.path("uploads", id))
	if err != nil {
		return 0, uploadMissing(err)
	}
	return info.Size(), nil
}

// finishUpload makes an upload the blob d. Content that is not d is dropped
// with a *mismatchError.
func (s *store) finishUpload(id string, d digest) error {
	return s.withUpload(id, func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return uploadMissing(err)
		}
		got, err := digestOfReader(f)
		info, statErr := f.Stat()
		if err := errors.Join(err, statErr, f.Sync(), f.Close()); err != nil {
			return err
		}
		if got != d {
			return errors.Join(&mismatchError{want: d, got: got}, os.Remove(path))
		}
		if err := install(path, s.blobPath(d)); err != nil {
			return err
		}
		s.remember(d, stamp{size: info.Size(), mtime: info.ModTime()})
		return nil
	})
}

func (s *store) cancelUpload(id string) error {
	return s.withUpload(id, func(path string) error { return uploadMissing(os.Remove(path)) })
}

func uploadMissing(err error) error {
	if errors.Is(missing(err), errNotFound) {
		return errUploadUnknown
	}
	return err
}
