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

// kubernetesVersion is that of the stacks. It decides which versions of APIs kube-score
// calls old.
var kubernetesVersion = config.Semver{Major: 1, Minor: 36}

// finding is a grade CRITICAL of kube-score.
type finding struct {
	Check, Kind, Namespace, Name, Message string
}

func (f finding) String() string {
	return f.Check + ": " + f.Kind + " " + f.Namespace + "/" + f.Name + ": " + f.Message
}

// document is one object for kube-score's parser, which reads YAML. JSON is YAML.
type document struct{ *bytes.Reader }

func (document) Name() string { return "object" }

// scored is the result of kube-score for some objects.
type scored struct {
	// critical are the findings of grade CRITICAL, sorted.
	critical []finding
	// grades is the number of findings of all grades.
	grades int
}

// grade runs all checks of kube-score, the optional ones except those that no platform
// with different requests and limits passes.
func grade(objects []map[string]any) (scored, error) {
	var result scored
	p, err := parser.New(nil)
	if err != nil {
		return result, err
	}
	var files []ks.NamedReader
	for _, o := range objects {
		raw, err := json.Marshal(o)
		if err != nil {
			return result, err
		}
		files = append(files, document{bytes.NewReader(raw)})
	}
	all, err := p.ParseFiles(files)
	if err != nil {
		return result, err
	}
	run := &config.RunConfiguration{
		KubernetesVersion: kubernetesVersion, MinReplicasDeployment: 2, MinReplicasHPA: 2,
		EnabledOptionalTests: map[string]struct{}{"container-seccomp-profile": {}, "container-ports-check": {}},
	}
	card, err := score.Score(all, score.RegisterAllChecks(all, nil, run), run)
	if err != nil {
		return result, err
	}
	for _, o := range *card {
		for _, c := range o.Checks {
			if c.Skipped {
				continue
			}
			result.grades++
			if c.Grade > scorecard.GradeCritical {
				continue
			}
			var comments []string
			for _, comment := range c.Comments {
				comments = append(comments, strings.TrimSpace(comment.Path+" "+comment.Summary))
			}
			result.critical = append(result.critical, finding{
				c.Check.ID, o.TypeMeta.Kind, o.ObjectMeta.Namespace, o.ObjectMeta.Name, strings.Join(comments, ", "),
			})
		}
	}
	slices.SortFunc(result.critical, func(a, b finding) int { return strings.Compare(a.String(), b.String()) })
	return result, nil
}
