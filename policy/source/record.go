package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// randomSuffix is the random end of a name that Pulumi generates.
var randomSuffix = regexp.MustCompile(`-[0-9a-f]{7}"`)

// zoneID is the identifier of a hosted zone. The AWS stand-in (sandbox/aws) generates it.
var zoneID = regexp.MustCompile(`"Z[0-9A-Z]{11,}"`)

// registryAddress is the address of the AWS stand-in's image registry. Its port differs from
// machine to machine.
var registryAddress = regexp.MustCompile(`127\.0\.0\.1:\d+/`)

// Record turns a preview's JSON into a recording: a line for each resource that
// a rule may read, with its inputs and references. A recording must change only if
// a resource changes. So it has no source positions, no random names, and no
// content of files and images.
func Record(raw []byte) ([]byte, error) {
	states, _, err := parseStates(raw)
	if err != nil {
		return nil, err
	}
	// Pulumi registers resources in any order if none of them depends on another.
	slices.SortFunc(states, func(a, b state) int { return strings.Compare(a.URN, b.URN) })
	var out bytes.Buffer
	for _, s := range states {
		if strings.Contains(s.URN, "$aws:s3/bucketObjectv2:") || strings.HasPrefix(s.Type, "progressive:") {
			continue
		}
		s.ID, s.SourcePosition, s.Parent, s.Type = "", "", "", ""
		if !strings.Contains(s.URN, "pulumi:pulumi:Stack") {
			s.Outputs = nil
		}
		for name, urns := range s.PropertyDependencies {
			if len(urns) == 0 {
				delete(s.PropertyDependencies, name)
			}
			slices.Sort(urns)
		}
		for name := range s.Inputs {
			if strings.HasPrefix(name, "__") {
				delete(s.Inputs, name)
			}
		}
		if strings.Contains(s.URN, "::ko:index:Image::") {
			// The other inputs of an image change with its source code.
			s.Inputs = map[string]any{"importPath": s.Inputs["importPath"]}
		}
		line, err := marshal(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.URN, err)
		}
		line = registryAddress.ReplaceAll(line, []byte("registry.example/"))
		line = randomSuffix.ReplaceAll(line, []byte(`-0000000"`))
		out.Write(zoneID.ReplaceAll(line, []byte(`"Z00000000000"`)))
	}
	return out.Bytes(), nil
}

// marshal returns one line of JSON, without escapes for HTML.
func marshal(s state) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(s)
	return line.Bytes(), err
}
