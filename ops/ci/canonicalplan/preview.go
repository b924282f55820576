package canonicalplan

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Preview is the output of `pulumi preview --json` or `pulumi refresh --preview-only
// --json`.
type Preview struct {
	Steps       []EngineStep `json:"steps"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	// Incomplete is true if an operation may have ended in an unknown state. The engine calls it
	// maybeCorrupt.
	Incomplete bool `json:"maybeCorrupt"`
}

// Diagnostic is a message of the program, of a provider or of the engine.
type Diagnostic struct {
	URN      string `json:"urn"`
	Message  string `json:"message"`
	Severity string `json:"severity"`
}

// EngineStep is one step of the engine. A resource may have several.
type EngineStep struct {
	Op           string                  `json:"op"`
	URN          string                  `json:"urn"`
	OldState     *previewState           `json:"oldState"`
	NewState     *previewState           `json:"newState"`
	DiffReasons  []string                `json:"diffReasons"`
	Reasons      []string                `json:"replaceReasons"`
	DetailedDiff map[string]propertyDiff `json:"detailedDiff"`
}

// DifferingPaths returns the paths of the properties that differ, sorted.
func (s EngineStep) DifferingPaths() []string {
	return sortedUnion(s.DiffReasons, slices.Collect(maps.Keys(s.DetailedDiff)))
}

type propertyDiff struct {
	Kind string `json:"kind"`
}

type previewState struct {
	Inputs         map[string]any `json:"inputs"`
	Outputs        map[string]any `json:"outputs"`
	SourcePosition string         `json:"sourcePosition"`
}

// ParsePreview parses the output of Pulumi. It skips lines before the JSON.
func ParsePreview(raw []byte) (*Preview, error) {
	text := string(raw)
	if start := strings.Index("\n"+text, "\n{"); start >= 0 {
		text = text[start:]
	}
	var p Preview
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&p); err != nil {
		return nil, fmt.Errorf("the output of Pulumi is no JSON of a preview: %w", err)
	}
	if p.Steps == nil && p.Diagnostics == nil {
		return nil, errors.New("the output of Pulumi has neither steps nor diagnostics")
	}
	return &p, nil
}

// failureText is the last error message of every failed preview. If the preview failed because of a
// policy violation, it is the only error message.
const failureText = "preview failed"

// Errors returns the error messages of the program and of the providers, without failureText.
func (p *Preview) Errors() []string {
	var all []string
	for _, d := range p.Diagnostics {
		text := strings.TrimSpace(d.Message)
		if d.Severity == "error" && strings.TrimPrefix(text, "error: ") != failureText {
			all = append(all, text)
		}
	}
	return all
}

// Sources returns the Go lines that registered the resources, by URN.
func (p *Preview) Sources() map[string]string {
	all := map[string]string{}
	for _, s := range p.Steps {
		if s.NewState != nil && all[s.URN] == "" {
			if line := sourceLine(s.NewState.SourcePosition); line != "" {
				all[s.URN] = line
			}
		}
	}
	return all
}

// module is the prefix of the paths of the project's own source files.
const module = "github.com/progressive-framework/platform/"

// sourceLine converts project:///PATH#LINE,COLUMN to FILE:LINE. It returns "" for a file of another
// module.
func sourceLine(position string) string {
	_, pathAndPosition, found := strings.Cut(position, module)
	file, lineAndColumn, _ := strings.Cut(pathAndPosition, "#")
	line, _, _ := strings.Cut(lineAndColumn, ",")
	if !found || line == "" {
		return ""
	}
	return file + ":" + line
}

// Origin identifies the program, the configuration and the state of a preview.
type Origin struct {
	Stack, Commit, Config, State string
	Offline                      bool
}

// New returns the plan of a preview.
func New(origin Origin, preview *Preview) (*Plan, error) {
	p := &Plan{
		Schema: Schema, Stack: origin.Stack, Commit: origin.Commit, Config: origin.Config, State: origin.State, Offline: origin.Offline,
		Steps: []Step{}, Sources: map[string]string{},
	}
	replacer := newNameReplacer(preview.Steps)
	sources := preview.Sources()
	steps := map[string]*Step{}
	for _, engineStep := range preview.Steps {
		p.addImage(engineStep)
		op, changes := planOperation(engineStep.Op)
		if !changes {
			if engineStep.Op == "same" {
				p.Unchanged++
			}
			continue
		}
		step := steps[engineStep.URN]
		switch {
		case step == nil:
			step = &Step{Op: op, URN: engineStep.URN}
			steps[engineStep.URN] = step
		case step.Op != op: // such as a delete and a create of one URN
			step.Op = Replace
		}
		if err := step.addEngineStep(engineStep, replacer); err != nil {
			return nil, err
		}
		if line := sources[engineStep.URN]; line != "" {
			p.Sources[engineStep.URN] = line
		}
	}
	for _, step := range steps {
		p.Steps = append(p.Steps, *step)
	}
	return p, p.sortAndSetDigest()
}

// planOperation returns the operation of the plan for an engine step. changes is false for a step
// that changes nothing, such as same and refresh.
func planOperation(step string) (op Op, changes bool) {
	switch step {
	case "create-replacement", "delete-replaced", "replace", "import-replacement", "read-replacement", "discard-replaced":
		return Replace, true
	case "create", "update", "delete", "import", "read", "discard":
		return Op(step), true
	}
	return "", false
}

// addEngineStep adds the content of an engine step to a step of the plan.
func (s *Step) addEngineStep(engineStep EngineStep, replacer *strings.Replacer) error {
	if s.Op == Update || s.Op == Replace {
		s.Changed = sortedUnion(s.Changed, engineStep.DifferingPaths())
		s.Because = sortedUnion(s.Because, engineStep.Reasons)
	}
	if engineStep.NewState == nil || s.Op == Delete {
		return nil
	}
	if s.Values == nil {
		s.Values = map[string]string{}
	}
	for name, value := range engineStep.NewState.Inputs {
		clean, keep := removeGenerated(value, replacer)
		if !keep || strings.HasPrefix(name, "__") {
			continue
		}
		raw, err := json.Marshal(clean)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.URN, name, err)
		}
		s.Values[name] = sha256Hex(raw)[:16] // 64 bits are enough to distinguish the values of one property
	}
	return nil
}

// sortedUnion returns the union of the lists, sorted and without duplicates. It returns nil if the
// union is empty.
func sortedUnion(lists ...[]string) []string {
	all := slices.Concat(lists...)
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// imageType is the type of an image that the stack builds. promotedType is the type of an image that
// the stack copies from another one (components/image).
const imageType, promotedType = "ko:index:Image", "ko:index:Promoted"

// addImage adds the digests of an image to the plan. It does nothing for a step of another resource.
func (p *Plan) addImage(s EngineStep) {
	if t := Type(s.URN); t != imageType && t != promotedType {
		return
	}
	image := Image{Name: Name(s.URN)}
	if s.OldState != nil {
		image.Before = imageDigest(s.OldState.Inputs)
	}
	if s.NewState != nil && s.Op != "delete" {
		image.After = imageDigest(s.NewState.Inputs)
	}
	for i := range p.Images {
		if existing := &p.Images[i]; existing.Name == image.Name {
			existing.Before, existing.After = cmp.Or(existing.Before, image.Before), cmp.Or(existing.After, image.After)
			return
		}
	}
	p.Images = append(p.Images, image)
}

// imageDigest returns the digest in an image's inputs. A built image has the digest in the input
// digest. A promoted image has the digest in the input source, after an @.
func imageDigest(inputs map[string]any) string {
	if built, ok := inputs["digest"].(string); ok {
		return built
	}
	promoted, _ := inputs["source"].(string)
	_, pinned, _ := strings.Cut(promoted, "@")
	return pinned
}
