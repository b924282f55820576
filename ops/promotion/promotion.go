// Package promotion has the subcommands of a release manager: promote writes the images that a
// stack must run, rollback writes an earlier record, and diff shows how two stacks differ.
//
// promote and rollback write only the key release of a stack's file. They change no stack: a person
// reviews and merges the file, and pulumi up copies the images (ko:index:Promoted). The git history
// of the file is the history of the releases. diff writes nothing.
package promotion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/record"
	"github.com/progressive-framework/platform/release/signkey"
)

// stackName matches the names that Pulumi accepts for a stack. The name becomes part of a file's
// name.
var stackName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// project is the folder with the stacks' files.
type project struct{ dir string }

// newProject returns the project in the folder of the flag --cwd.
func newProject(dir string) (project, error) {
	if dir == "" {
		dir = "."
	}
	if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err != nil {
		return project{}, fmt.Errorf("%s is not a project: %w: run pf in the folder of Pulumi.yaml, or name it by --cwd", dir, err)
	}
	return project{dir}, nil
}

// fileName returns the name of a stack's file.
func fileName(stack string) string { return "Pulumi." + stack + ".yaml" }

// readStackFile reads and parses a stack's file.
func (p project) readStackFile(stack string) (*record.File, error) {
	if !stackName.MatchString(stack) {
		return nil, fmt.Errorf("stack %q: must be the name of a stack, without its organization", stack)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, fileName(stack)))
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", stack, err)
	}
	f, err := record.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fileName(stack), err)
	}
	return f, nil
}

// readBaseFile returns the stack's file to which a record will be added. If only the release is
// uncommitted, such as a draft of pf promote --draft, it returns the file of the last commit. The
// record then replaces the draft. If createCommit is set, any other uncommitted change is an error,
// because the new commit must have only the record.
func (p project) readBaseFile(ctx context.Context, stack string, createCommit bool) (*record.File, error) {
	file, err := p.readStackFile(stack)
	if err != nil {
		return nil, err
	}
	text, isCommitted, err := p.readCommitted(ctx, fileName(stack))
	if err != nil {
		return nil, unreadError(err)
	}
	if !isCommitted && createCommit {
		return nil, refusedError("%s is not committed: commit it first", fileName(stack))
	}
	if !isCommitted {
		return file, nil
	}
	last, err := record.Parse([]byte(text))
	switch {
	case err != nil:
		return nil, unreadError(fmt.Errorf("%s of the last commit: %w", fileName(stack), err))
	case file.DiffersOnlyByRelease(last):
		return last, nil
	case createCommit:
		return nil, refusedError("%s has changes that are not committed: commit or undo them first", fileName(stack))
	}
	return file, nil
}

// writeRelease writes the record into a stack's file.
func (p project) writeRelease(stack string, f *record.File, r *record.Record) error {
	text, err := f.With(r)
	if err != nil {
		return fmt.Errorf("%s: %w", fileName(stack), err)
	}
	return os.WriteFile(filepath.Join(p.dir, fileName(stack)), text, 0o644)
}

// removeDraft removes the uncommitted release from a stack's file. base is what readBaseFile returned.
func (p project) removeDraft(stack string, base *record.File) error {
	return os.WriteFile(filepath.Join(p.dir, fileName(stack)), []byte(base.Text()), 0o644)
}

// readTrustedKeys reads the trusted keys that a stack's file names.
func (p project) readTrustedKeys(stack string, f *record.File) (signkey.Trusted, error) {
	if len(f.TrustedKeys) == 0 {
		return nil, fmt.Errorf("%s: images.trustedKeys is not set: name the files of the public keys (docs/promotion.md)", fileName(stack))
	}
	var texts []string
	for _, file := range f.TrustedKeys {
		if !filepath.IsLocal(file) {
			return nil, fmt.Errorf("%s: images.trustedKeys has %q: must be a file of the project", fileName(stack), file)
		}
		text, err := os.ReadFile(filepath.Join(p.dir, file))
		if err != nil {
			return nil, fmt.Errorf("%s: images.trustedKeys: %w", fileName(stack), err)
		}
		texts = append(texts, string(text))
	}
	keys, err := signkey.ParseTrusted(texts...)
	if err != nil {
		return nil, fmt.Errorf("%s: images.trustedKeys: %w", fileName(stack), err)
	}
	return keys, nil
}

// splitImages converts the output images of a stack to the repository and the digests of a record.
// Every image must have a digest, and its name must be REPOSITORY/SHORT with the same REPOSITORY.
func splitImages(images map[string]string) (repository string, digests map[string]string, err error) {
	if len(images) == 0 {
		return "", nil, errors.New("the stack has no output images: run pulumi up first")
	}
	digests = map[string]string{}
	for _, short := range slices.Sorted(maps.Keys(images)) {
		ref, err := name.NewDigest(images[short], name.StrictValidation)
		if err != nil {
			return "", nil, fmt.Errorf("image %s is %q: must be REPOSITORY@sha256:DIGEST: %w", short, images[short], err)
		}
		prefix, found := strings.CutSuffix(ref.Context().Name(), "/"+short)
		isOtherRepository := repository != "" && prefix != repository
		if !found || isOtherRepository {
			return "", nil, fmt.Errorf("image %s is in %s: must be in %s/%s, next to the others", short, ref.Context(), repository, short)
		}
		repository, digests[short] = prefix, ref.DigestStr()
	}
	return repository, digests, nil
}

// registryOptions returns the options of requests to registries. The requests use the logins in
// Docker's configuration.
func registryOptions() []remote.Option {
	return []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("pf")}
}

// verifyImage verifies that an image in a registry has signed statements of these predicate types. It
// returns the attestations.
func verifyImage(ctx context.Context, reference string, keys signkey.Trusted, predicateTypes []string) ([]attest.Attestation, error) {
	ref, err := name.NewDigest(reference, name.StrictValidation)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", reference, err)
	}
	return attest.Verify(ctx, ref, keys, predicateTypes, registryOptions()...)
}

// readOutputs reads the outputs of a stack.
func readOutputs(ctx context.Context, dir, stack string) (stackoutput.Outputs, error) {
	o, err := (&stackoutput.Stack{Name: stack, Dir: dir}).Read(ctx)
	if err != nil {
		return o, fmt.Errorf("stack %s: %w", stack, err)
	}
	return o, nil
}
