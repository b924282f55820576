// Package record has the record of a promotion. The record is the key "release" of a stack's file
// (Pulumi.STACK.yaml). It names the images that the stack runs. This package reads the record, and
// replaces it without a change of any other byte of the file.
package record

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/release/gate"
)

const (
	// projectPrefix is the prefix of the platform's keys in a stack's file.
	projectPrefix = "progressive-framework:"
	// releaseKey is the key of the record.
	releaseKey = projectPrefix + "release"
)

// Record says which images a stack runs. Package infra/config checks the fields.
type Record struct {
	// Commit is the git commit that was promoted.
	Commit string `yaml:"commit"`
	// At is the time of the promotion or of the rollback.
	At time.Time `yaml:"at"`
	// From is the stack that built the images.
	From string `yaml:"from"`
	// Repository is the prefix of that stack's images: REGISTRY/PREFIX.
	Repository string `yaml:"repository"`
	// Draft says that no gate has judged the record. A stack can be previewed with it, and not
	// updated.
	Draft bool `yaml:"draft"`
	// Images has the digest of each image by its short name, such as web.
	Images map[string]string `yaml:"images"`
}

// Source returns the reference of an image in the repository of the stack that built it. imageName
// is the short name of the image, such as web.
func (r *Record) Source(imageName string) string {
	return r.Repository + "/" + imageName + "@" + r.Images[imageName]
}

// SameImages reports whether two records name the same digests. Two missing records are the same. A
// missing record and an existing one are not.
func (r *Record) SameImages(other *Record) bool {
	if r == nil || other == nil {
		return r == other
	}
	return maps.Equal(r.Images, other.Images)
}

// File is the file of a stack.
type File struct {
	// Release is the record, or nil if the stack builds its images itself. It may be a draft.
	Release *Record
	// Environment is the value of the key environment.
	Environment string
	// TrustedKeys is images.trustedKeys: files, relative to the project's folder.
	TrustedKeys []string
	// SigningKey is images.signingKey: a file, relative to the project's folder, or a key of
	// KMS.
	SigningKey string
	// RequiredGates is images.requiredGates: the gates for which an image must have a
	// statement.
	RequiredGates []gate.Name

	text string
}

// Parse reads the text of a stack's file.
func Parse(text []byte) (*File, error) {
	var content struct {
		Config map[string]yaml.Node `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, fmt.Errorf("stack file: %w", err)
	}
	if content.Config == nil {
		return nil, errors.New("stack file: it has no key config")
	}
	f := &File{text: string(text)}
	var images struct {
		TrustedKeys []string `yaml:"trustedKeys"`
		SigningKey  string   `yaml:"signingKey"`

		RequiredGates []gate.Name `yaml:"requiredGates"`
	}
	for name, target := range map[string]any{releaseKey: &f.Release, projectPrefix + "environment": &f.Environment, projectPrefix + "images": &images} {
		node, ok := content.Config[name]
		if !ok {
			continue
		}
		if err := node.Decode(target); err != nil {
			return nil, fmt.Errorf("stack file: %s: %w", name, err)
		}
	}
	f.TrustedKeys, f.SigningKey, f.RequiredGates = images.TrustedKeys, images.SigningKey, images.RequiredGates
	return f, nil
}

// Released returns the record if gates have judged it. It returns nil for a draft, which no stack runs.
func (f *File) Released() *Record {
	if f.Release == nil || f.Release.Draft {
		return nil
	}
	return f.Release
}

// Text returns the text of the file.
func (f *File) Text() string { return f.text }

// DiffersOnlyByRelease reports whether the file is equal to an earlier one, except for the record.
func (f *File) DiffersOnlyByRelease(earlier *File) bool {
	if f.Release == nil {
		return f.text == earlier.text
	}
	text, err := earlier.With(f.Release)
	return err == nil && string(text) == f.text
}

// With returns the text of the file with r in place of the file's record. All other bytes stay the
// same, also in comments.
func (f *File) With(r *Record) ([]byte, error) {
	lines := strings.SplitAfter(f.text, "\n")
	if last := lines[len(lines)-1]; last == "" {
		lines = lines[:len(lines)-1]
	} else {
		lines[len(lines)-1] = last + "\n"
	}
	start, indent, err := f.findRecord()
	if err != nil {
		return nil, err
	}
	var end int
	if start >= 0 {
		end = findBlockEnd(lines, start, indent)
	} else { // there is no record yet: the new one becomes the last key of config
		start = findBlockEnd(lines, f.findConfigLine(), 0)
		end = start
	}
	newLines := slices.Concat(lines[:start], r.renderLines(indent), lines[end:])
	text := strings.Join(newLines, "")
	if err := f.checkOnlyRelease(text, r); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// findRecord returns the line of the record, counted from zero, and the indentation of the keys of
// config. Without a record the line is -1.
func (f *File) findRecord() (line, indent int, err error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(f.text), &root); err != nil {
		return 0, 0, fmt.Errorf("stack file: %w", err)
	}
	config := findMappingValue(root.Content[0], "config")
	if config == nil || config.Kind != yaml.MappingNode || config.Style&yaml.FlowStyle != 0 || len(config.Content) == 0 {
		return 0, 0, errors.New("stack file: config must be a block with keys")
	}
	for i := 0; i < len(config.Content); i += 2 {
		if k := config.Content[i]; k.Value == releaseKey {
			return k.Line - 1, k.Column - 1, nil
		}
	}
	return -1, config.Content[0].Column - 1, nil
}

// findConfigLine returns the line of the key config, counted from zero. If no line begins with the
// key, for example because the key has quotes, it returns 0, which may be a wrong line. With then
// inserts the record after a wrong block, and checkOnlyRelease returns an error for that text.
func (f *File) findConfigLine() int {
	for i, line := range strings.Split(f.text, "\n") {
		if strings.HasPrefix(line, "config:") {
			return i
		}
	}
	return 0
}

// findBlockEnd returns the first line after the block of a key. line is the key's line, and indent
// is its indentation. Blank lines and comments before the next key belong to the next key.
func findBlockEnd(lines []string, line, indent int) int {
	end := line + 1
	for i := line + 1; i < len(lines); i++ {
		trimmed := strings.TrimSpace(lines[i])
		if trimmed == "" {
			continue
		}
		if len(lines[i])-len(strings.TrimLeft(lines[i], " ")) <= indent {
			break
		}
		end = i + 1
	}
	return end
}

// renderLines returns the record as lines of YAML, with this indentation.
func (r *Record) renderLines(indent int) []string {
	indentation := strings.Repeat(" ", indent)
	rendered := []string{indentation + releaseKey + ":\n"}
	addLine := func(depth int, name, value string) {
		rendered = append(rendered, fmt.Sprintf("%s%s%s: %s\n", indentation, strings.Repeat("  ", depth), name, value))
	}
	addLine(1, "commit", fmt.Sprintf("%q", r.Commit))
	addLine(1, "at", fmt.Sprintf("%q", r.At.UTC().Format(time.RFC3339)))
	addLine(1, "from", r.From)
	addLine(1, "repository", r.Repository)
	if r.Draft {
		addLine(1, "draft", "true")
	}
	rendered = append(rendered, indentation+"  images:\n")
	for _, name := range slices.Sorted(maps.Keys(r.Images)) {
		addLine(2, name, r.Images[name])
	}
	return rendered
}

// checkOnlyRelease returns an error unless the text has the images of the record r, and all its
// other keys have the values of the file.
func (f *File) checkOnlyRelease(text string, r *Record) error {
	readWithoutRecord := func(text string) (map[string]any, error) {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(text), &content); err != nil {
			return nil, err
		}
		config, ok := content["config"].(map[string]any)
		if !ok {
			return nil, errors.New("it has no config")
		}
		delete(config, releaseKey)
		return content, nil
	}
	oldContent, err := readWithoutRecord(f.text)
	if err != nil {
		return fmt.Errorf("stack file: %w", err)
	}
	newContent, err := readWithoutRecord(text)
	if err != nil {
		return fmt.Errorf("stack file with the record: %w", err)
	}
	parsed, err := Parse([]byte(text))
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(oldContent, newContent) || !parsed.Release.SameImages(r) || parsed.Release.Draft != r.Draft {
		return errors.New("stack file: the record can't be written without a change of another key; write it by hand (docs/configuration.md, the keys release)")
	}
	return nil
}

// findMappingValue returns the value of a key of a mapping. It returns nil if the mapping does not
// have the key.
func findMappingValue(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}
