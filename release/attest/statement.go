// Package attest signs statements about container images, and verifies them. A statement is
// an in-toto statement, such as SLSA provenance v1 or an SPDX document. It is in a Sigstore
// bundle v0.3, which the registry stores as an OCI referrer of the image's digest. cosign
// reads and writes the same form.
//
// This package owns the statements, the bundles, the verification, and the copy of an image
// with its referrers. Package signkey has the keys. This package does not depend on Pulumi,
// builds or stacks. It signs with keys only: there is no certificate, no transparency log
// and no time stamp.
package attest

import (
	"encoding/json"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Types of statements and predicates. Their sources are
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
// https://slsa.dev/spec/v1.0/provenance and
// https://github.com/in-toto/attestation/blob/main/spec/predicates/spdx.md.
const (
	StatementType  = "https://in-toto.io/Statement/v1"
	ProvenanceType = "https://slsa.dev/provenance/v1"
	SPDXType       = "https://spdx.dev/Document"
)

// Statement is an in-toto statement: a predicate about images.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Subject       `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// Subject is an image that a statement is about. The key of Digest is the algorithm, such as sha256,
// and the value is the digest in hex.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

// NewStatement returns a statement about the image with this digest. The parameter name, such as
// the repository, is only for people. Verify ignores the name, because a copy of the image in
// another repository has another name.
func NewStatement(name string, digest v1.Hash, predicateType string, predicate any) (*Statement, error) {
	raw, err := json.Marshal(predicate)
	if err != nil {
		return nil, fmt.Errorf("predicate %s: %w", predicateType, err)
	}
	return &Statement{
		Type:          StatementType,
		Subject:       []Subject{{Name: name, Digest: map[string]string{digest.Algorithm: digest.Hex}}},
		PredicateType: predicateType,
		Predicate:     raw,
	}, nil
}

// isAbout reports whether the statement is about the image with this digest.
func (s *Statement) isAbout(digest v1.Hash) bool {
	return slices.ContainsFunc(s.Subject, func(subject Subject) bool { return subject.Digest[digest.Algorithm] == digest.Hex })
}

// subjectDigests returns the digests of the statement's subjects, for errors.
func (s *Statement) subjectDigests() []string {
	var digests []string
	for _, subject := range s.Subject {
		for algorithm, hex := range subject.Digest {
			digests = append(digests, algorithm+":"+hex)
		}
	}
	slices.Sort(digests)
	return digests
}

// Provenance is a predicate of ProvenanceType. It says from which sources an image was
// built, and which program built it.
type Provenance struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition has the inputs of a build.
type BuildDefinition struct {
	// BuildType is a URI that says what the parameters mean.
	BuildType string `json:"buildType"`
	// ExternalParameters are the parameters that the caller chose.
	ExternalParameters map[string]any `json:"externalParameters"`
	// InternalParameters are the parameters that the builder chose.
	InternalParameters map[string]any `json:"internalParameters,omitempty"`
	// ResolvedDependencies are the sources and tools that the build read.
	ResolvedDependencies []Dependency `json:"resolvedDependencies,omitempty"`
}

// Dependency is a source or a tool that a build used.
type Dependency struct {
	URI    string            `json:"uri,omitempty"`
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
	// Annotations are additional information from the builder.
	Annotations map[string]any `json:"annotations,omitempty"`
}

// RunDetails names the program that ran the build.
type RunDetails struct {
	Builder Builder `json:"builder"`
}

// Builder is the program that ran the build.
type Builder struct {
	// ID is the URI of the builder. A verifier decides by this URI whether it trusts the build.
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// GitCommit returns the commit of the sources, or an empty string if the builder
// found none.
func (p Provenance) GitCommit() string {
	for _, d := range p.BuildDefinition.ResolvedDependencies {
		if commit := d.Digest["gitCommit"]; commit != "" {
			return commit
		}
	}
	return ""
}

// Modified reports whether the builder found sources that differ from GitCommit.
func (p Provenance) Modified() bool {
	return slices.ContainsFunc(p.BuildDefinition.ResolvedDependencies, func(d Dependency) bool {
		return d.Annotations["modified"] == true
	})
}
