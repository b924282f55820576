// Package canonicalplan owns the canonical form of a preview: which operation a resource
// would get, and why. Two previews of the same program, configuration and state have equal
// plans. The package does no I/O; its input is the output of `pulumi preview --json`.
//
// A plan has no secret and no value: it has the digest of each new value. generated.go lists
// the values that differ in each run. A plan leaves them out.
package canonicalplan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Schema is the version of the plan's format. Plans with different versions are never equal.
const Schema = 1

// Op is the operation on a resource.
type Op string

// The operations. A replacement is one operation, although the engine does it in several steps.
const (
	Create  Op = "create"
	Update  Op = "update"
	Replace Op = "replace"
	Delete  Op = "delete"
	// Import, Read and Discard change only the state, and nothing at the provider.
	Import  Op = "import"
	Read    Op = "read"
	Discard Op = "discard"
)

// Plan is the canonical form of a preview.
type Plan struct {
	Schema int    `json:"schema"`
	Stack  string `json:"stack"`
	// Commit is the commit of the program. If the working tree had uncommitted changes, "+" and the
	// digest of these changes follow.
	Commit string `json:"commit"`
	// Config is the digest of the stack's configuration.
	Config string `json:"config"`
	// State is the fingerprint of the state before the change.
	State string `json:"state"`
	// Steps are the changes, sorted by URN.
	Steps []Step `json:"steps"`
	// Images are the container images of the stack, by name.
	Images []Image `json:"images,omitempty"`
	// Unchanged is the number of resources without a change.
	Unchanged int `json:"unchanged"`
	// Digest is the digest of all fields above.
	Digest string `json:"digest"`

	// Offline is true if the preview ran against the sandbox's stand-in for AWS, with an empty state.
	Offline bool `json:"offline,omitempty"`
	// Sources are the Go lines that registered the changed resources, by URN. They are only for a
	// reader of the plan, so the digest does not depend on them.
	Sources map[string]string `json:"sources,omitempty"`
}

// Step is the change of one resource.
type Step struct {
	Op  Op     `json:"op"`
	URN string `json:"urn"`
	// Changed are the paths of the properties that change, sorted. It is empty for a
	// creation and a deletion.
	Changed []string `json:"changed,omitempty"`
	// Because are the properties that require the replacement, sorted.
	Because []string `json:"because,omitempty"`
	// Values are the digests of the new inputs by name, without secrets.
	Values map[string]string `json:"values,omitempty"`
}

// Image is a container image that the stack builds.
type Image struct {
	Name string `json:"name"`
	// Before is the image's digest in the state. It is empty if the image is new.
	Before string `json:"before,omitempty"`
	// After is the image's digest in the preview.
	After string `json:"after,omitempty"`
}

// Type returns the resource type in a URN.
func Type(urn string) string {
	types := strings.Split(urnPart(urn, 2), "$")
	return types[len(types)-1]
}

// Name returns the resource's name in a URN.
func Name(urn string) string { return urnPart(urn, 3) }

// IsInComponent reports whether the resource is the child of a component.
func IsInComponent(urn string) bool { return strings.Contains(urnPart(urn, 2), "$") }

// IsGrouping reports whether the URN belongs to a component, a provider or the stack itself, and
// not to a resource at a provider.
func IsGrouping(urn string) bool {
	kind := Type(urn)
	return strings.HasPrefix(kind, "pulumi:") || strings.HasPrefix(kind, "progressive:")
}

// urnPart returns part i, counted from 0, of urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME. It
// returns "" if the URN has fewer parts.
func urnPart(urn string, i int) string {
	if parts := strings.SplitN(urn, "::", 4); i < len(parts) {
		return parts[i]
	}
	return ""
}

// Counts has the number of steps by operation.
type Counts struct{ Create, Update, Replace, Delete, Other int }

// Counts returns the number of steps by operation.
func (p *Plan) Counts() (c Counts) {
	for _, s := range p.Steps {
		switch s.Op {
		case Create:
			c.Create++
		case Update:
			c.Update++
		case Replace:
			c.Replace++
		case Delete:
			c.Delete++
		default:
			c.Other++
		}
	}
	return c
}

// sortAndSetDigest sorts the steps and the images of the plan, and sets its digest.
func (p *Plan) sortAndSetDigest() error {
	slices.SortFunc(p.Steps, func(a, b Step) int { return strings.Compare(a.URN+" "+string(a.Op), b.URN+" "+string(b.Op)) })
	slices.SortFunc(p.Images, func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	digest, err := p.computeDigest()
	p.Digest = digest
	return err
}

// computeDigest returns the digest of the fields that must be equal in equal plans.
func (p *Plan) computeDigest() (string, error) {
	content := *p
	content.Digest, content.Sources, content.Offline = "", nil, false
	raw, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("plan of %s: %w", p.Stack, err)
	}
	return sha256Hex(raw), nil
}

// Decode reads a plan that Encode wrote. It returns an error if the plan was edited, or has another
// schema.
func Decode(raw []byte) (*Plan, error) {
	var p Plan
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	if p.Schema != Schema {
		return nil, fmt.Errorf("the plan has schema %d, must be %d: preview again", p.Schema, Schema)
	}
	digest, err := p.computeDigest()
	if err != nil {
		return nil, err
	}
	if digest != p.Digest {
		return nil, fmt.Errorf("the plan's digest is %s, its content has %s: the file was edited, preview again", p.Digest, digest)
	}
	return &p, nil
}

// Encode writes the plan as JSON.
func (p *Plan) Encode() ([]byte, error) {
	raw, err := json.MarshalIndent(p, "", " ")
	return append(raw, '\n'), err
}

// sha256Hex returns the SHA-256 of raw in hexadecimal.
func sha256Hex(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
