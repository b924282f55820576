package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// manifest is an image manifest or index as it was pushed, byte for byte.
type manifest struct {
	mediaType string
	content   []byte
}

// anatomy is what the registry reads of a manifest of any kind.
type anatomy struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       *v1.Descriptor    `json:"config"`
	Layers       []v1.Descriptor   `json:"layers"`
	Manifests    []v1.Descriptor   `json:"manifests"`
	Subject      *v1.Descriptor    `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

func (m manifest) anatomy() (anatomy, error) {
	var a anatomy
	if err := json.Unmarshal(m.content, &a); err != nil {
		return a, fmt.Errorf("manifest is not JSON: %w", err)
	}
	return a, nil
}

// incompleteError is a manifest that speaks of content which was not pushed.
type incompleteError struct{ missing digest }

func (e *incompleteError) Error() string {
	return fmt.Sprintf("the manifest refers to %s, which is not in this registry; push it first", e.missing)
}

func (s *store) manifestPath(repo string, d digest) string {
	return s.path("repositories", filepath.FromSlash(repo), "_manifests", d.hex())
}

func (s *store) tagPath(repo, tag string) string {
	return s.path("repositories", filepath.FromSlash(repo), "_tags", tag)
}

// resolve turns a tag or a digest into a digest.
func (s *store) resolve(repo, reference string) (digest, error) {
	if d, err := parseDigest(reference); err == nil {
		return d, nil
	}
	raw, err := os.ReadFile(s.tagPath(repo, reference))
	if err != nil {
		return "", missing(err)
	}
	d, err := parseDigest(strings.TrimSpace(string(raw)))
	if err != nil {
		slog.Warn("registry: damaged tag is not served", "repository", repo, "tag", reference, "error", err)
		return "", errNotFound
	}
	return d, nil
}

// servable reads a manifest that can be pulled whole: one of which some part
// is missing or damaged counts as missing itself. Clients skip the push of an
// image whose manifest is there, so only this lets them heal it.
func (s *store) servable(repo string, d digest) (manifest, error) {
	m, err := s.manifest(repo, d)
	if err != nil {
		return manifest{}, err
	}
	a, err := m.anatomy()
	if err != nil {
		return manifest{}, err
	}
	err = s.complete(repo, a)
	var incomplete *incompleteError
	if errors.As(err, &incomplete) {
		slog.Warn("registry: incomplete image is not served", "repository", repo, "digest", d, "missing", incomplete.missing)
		return manifest{}, errNotFound
	}
	return m, err
}

// manifest reads a manifest and checks it against its digest; a damaged one
// counts as missing.
func (s *store) manifest(repo string, d digest) (manifest, error) {
	raw, err := os.ReadFile(s.manifestPath(repo, d))
	if err != nil {
		return manifest{}, missing(err)
	}
	mediaType, content, ok := bytes.Cut(raw, []byte("\n"))
	if !ok || digestOf(content) != d {
		slog.Warn("registry: damaged manifest is not served", "repository", repo, "digest", d)
		return manifest{}, errNotFound
	}
	return manifest{mediaType: string(mediaType), content: content}, nil
}

// putManifest stores a manifest and, where tag is not empty, points the tag to
// it. All that the manifest is made of must be there.
func (s *store) putManifest(repo, tag string, m manifest) (digest, error) {
	a, err := m.anatomy()
	if err != nil {
		return "", err
	}
	s.manifests.Lock()
	defer s.manifests.Unlock()
	if err := s.complete(repo, a); err != nil {
		return "", err
	}
	d := digestOf(m.content)
	raw := append([]byte(m.mediaType+"\n"), m.content...)
	if err := s.write(s.manifestPath(repo, d), raw); err != nil {
		return "", err
	}
	if tag == "" {
		return d, nil
	}
	return d, s.write(s.tagPath(repo, tag), []byte(d+"\n"))
}

func (s *store) complete(repo string, a anatomy) error {
	blobs := slices.Clone(a.Layers)
	if a.Config != nil {
		blobs = append(blobs, *a.Config)
	}
	for _, b := range blobs {
		if !b.MediaType.IsDistributable() {
			continue
		}
		d, err := parseDigest(b.Digest.String())
		if err != nil {
			return err
		}
		ok, err := s.hasBlob(d)
		if err != nil {
			return err
		}
		if !ok {
			return &incompleteError{missing: d}
		}
	}
	for _, child := range a.Manifests {
		d, err := parseDigest(child.Digest.String())
		if err != nil {
			return err
		}
		_, err = s.manifest(repo, d)
		if errors.Is(err, errNotFound) {
			return &incompleteError{missing: d}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deleteManifest removes a tag; or, given a digest, the manifest and the tags
// that point to it, as ECR does. Other tags stay.
func (s *store) deleteManifest(repo, reference string) error {
	s.manifests.Lock()
	defer s.manifests.Unlock()
	d, err := parseDigest(reference)
	if err != nil {
		return missing(os.Remove(s.tagPath(repo, reference)))
	}
	if _, err := os.Stat(s.manifestPath(repo, d)); err != nil {
		return missing(err)
	}
	tags, err := s.tags(repo)
	if err != nil {
		return err
	}
	// Tags first: a crash between must not leave one that leads nowhere.
	for _, tag := range tags {
		target, err := s.resolve(repo, tag)
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		if target != d {
			continue
		}
		if err := os.Remove(s.tagPath(repo, tag)); err != nil {
			return err
		}
	}
	return os.Remove(s.manifestPath(repo, d))
}

// tags lists a repository's tags in order. A repository is one that has, or
// had, a manifest.
func (s *store) tags(repo string) ([]string, error) {
	if _, err := os.Stat(filepath.Dir(s.manifestPath(repo, digestOf(nil)))); err != nil {
		return nil, missing(err)
	}
	names, err := list(filepath.Dir(s.tagPath(repo, "any")))
	if errors.Is(err, errNotFound) {
		return []string{}, nil
	}
	return names, err
}

// digests lists a repository's manifests in order.
func (s *store) digests(repo string) ([]digest, error) {
	names, err := list(filepath.Dir(s.manifestPath(repo, digestOf(nil))))
	if err != nil {
		return nil, err
	}
	all := make([]digest, 0, len(names))
	for _, n := range names {
		if d, err := parseDigest("sha256:" + n); err == nil {
			all = append(all, d)
		}
	}
	return all, nil
}

// list names the files of a folder in order.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, missing(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// repositories lists every repository that holds a manifest, in order.
func (s *store) repositories() ([]string, error) {
	root := s.path("repositories")
	repos := []string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		switch e.Name() {
		case "_manifests":
			entries, err := os.ReadDir(path)
			if err != nil {
				return err
			}
			if len(entries) > 0 {
				repo, err := filepath.Rel(root, filepath.Dir(path))
				if err != nil {
					return err
				}
				repos = append(repos, filepath.ToSlash(repo))
			}
			return fs.SkipDir
		case "_tags":
			return fs.SkipDir
		}
		return nil
	})
	slices.Sort(repos)
	return repos, err
}

// referrers lists the manifests whose subject is d, as descriptors.
func (s *store) referrers(repo string, d digest) ([]v1.Descriptor, error) {
	all, err := s.digests(repo)
	if err != nil && !errors.Is(err, errNotFound) {
		return nil, err
	}
	found := []v1.Descriptor{}
	for _, candidate := range all {
		m, err := s.manifest(repo, candidate)
		if errors.Is(err, errNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		a, err := m.anatomy()
		if err != nil || a.Subject == nil || a.Subject.Digest.String() != string(d) {
			continue
		}
		kind := a.ArtifactType
		if kind == "" && a.Config != nil {
			kind = string(a.Config.MediaType)
		}
		found = append(found, v1.Descriptor{
			MediaType:    types.MediaType(m.mediaType),
			Size:         int64(len(m.content)),
			Digest:       v1.Hash{Algorithm: "sha256", Hex: candidate.hex()},
			ArtifactType: kind,
			Annotations:  a.Annotations,
		})
	}
	return found, nil
}
