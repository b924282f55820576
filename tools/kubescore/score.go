package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/zegl/kube-score/config"
	ks "github.com/zegl/kube-score/domain"
	"github.com/zegl/kube-score/parser"
	"github.com/zegl/kube-score/score"
	"github.com/zegl/kube-score/scorecard"
)

// kubernetesVersion is the version of the stacks' clusters. It decides which API versions
// kube-score calls old.
var kubernetesVersion = config.Semver{Major: 1, Minor: 36}

// finding is a finding of kube-score with the grade CRITICAL.
type finding struct {
	Check, Kind, Namespace, Name, Message string
}

// String returns the check, the object and the message.
func (f finding) String() string {
	return f.Check + ": " + f.Kind + " " + f.Namespace + "/" + f.Name + ": " + f.Message
}

// document is one object in JSON for kube-score's parser. The parser reads YAML, and JSON is valid
// YAML.
type document struct{ *bytes.Reader }

// Name is the name of the file in kube-score's findings. There is no file.
func (document) Name() string { return "object" }

// gradeResult is the result of kube-score for some objects.
type gradeResult struct {
	// critical are the findings of grade CRITICAL, sorted.
	critical []finding
	// grades is the number of findings of all grades.
	grades int
}

// grade runs all default checks of kube-score and two optional ones. The other optional checks require
// equal requests and limits, which the stacks do not have.
func grade(objects []map[string]any) (gradeResult, error) {
	var result gradeResult
	kubeParser, err := parser.New(nil)
	if err != nil {
		return result, err
	}
	var files []ks.NamedReader
	for _, object := range objects {
		raw, err := json.Marshal(object)
		if err != nil {
			return result, err
		}
		files = append(files, document{bytes.NewReader(raw)})
	}
	parsed, err := kubeParser.ParseFiles(files)
	if err != nil {
		return result, err
	}
	runConfig := &config.RunConfiguration{
		KubernetesVersion: kubernetesVersion, MinReplicasDeployment: 2, MinReplicasHPA: 2,
		EnabledOptionalTests: map[string]struct{}{"container-seccomp-profile": {}, "container-ports-check": {}},
	}
	card, err := score.Score(parsed, score.RegisterAllChecks(parsed, nil, runConfig), runConfig)
	if err != nil {
		return result, err
	}
	for _, object := range *card {
		for _, check := range object.Checks {
			if check.Skipped {
				continue
			}
			result.grades++
			if check.Grade > scorecard.GradeCritical {
				continue
			}
			var comments []string
			for _, comment := range check.Comments {
				comments = append(comments, strings.TrimSpace(comment.Path+" "+comment.Summary))
			}
			result.critical = append(result.critical, finding{
				check.Check.ID, object.TypeMeta.Kind, object.ObjectMeta.Namespace, object.ObjectMeta.Name, strings.Join(comments, ", "),
			})
		}
	}
	slices.SortFunc(result.critical, func(a, b finding) int { return strings.Compare(a.String(), b.String()) })
	return result, nil
}
