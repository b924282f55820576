package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
)

// WriteJSON writes the report as JSON. schema.json describes the format.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

type object = map[string]any

// WriteSARIF writes the report in the Static Analysis Results Interchange Format 2.1.0,
// with the Go line that registered each resource.
func (r *Report) WriteSARIF(w io.Writer) error {
	rules, results := []object{}, []object{}
	ruleIndexes := map[string]int{}
	for _, f := range r.Findings {
		if f.Kind == Undecided {
			continue
		}
		if _, ok := ruleIndexes[f.Rule]; !ok {
			ruleIndexes[f.Rule] = len(rules)
			rules = append(rules, sarifRule(f))
		}
		results = append(results, r.sarifResult(f, ruleIndexes[f.Rule]))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{
			"tool":    object{"driver": object{"name": "progressive-framework policy", "rules": rules}},
			"results": results,
		}},
	})
}

// sarifRule returns the SARIF object that describes a finding's rule.
func sarifRule(f Finding) object {
	return object{
		"id": f.Rule, "shortDescription": object{"text": f.Title}, "fullDescription": object{"text": f.Why},
		"help": object{"text": "Fix: " + f.Fix}, "properties": object{"tags": append([]string{}, f.Standards...), "severity": f.Severity},
	}
}

// sarifResult returns the SARIF object of a finding. ruleIndex is the position of the finding's
// rule in the list of rules.
func (r *Report) sarifResult(f Finding, ruleIndex int) object {
	result := object{
		"ruleId": f.Rule, "ruleIndex": ruleIndex, "level": sarifLevel(f.Kind),
		"message":             object{"text": f.Resource + ": " + f.Message + ". Fix: " + f.Fix},
		"partialFingerprints": object{"ruleAndResource/v1": f.key()},
		"locations":           []object{f.sarifLocation()},
	}
	if r.comparedToState {
		result["baselineState"] = "unchanged"
		if f.New {
			result["baselineState"] = "new"
		}
	}
	if f.Waiver != nil {
		result["suppressions"] = []object{{"kind": "external", "status": "accepted", "justification": f.Waiver.Reason}}
	}
	return result
}

func sarifLevel(k Kind) string {
	if k == Mandatory {
		return "error"
	}
	return "warning"
}

// sarifLocation returns the SARIF object with the resource and the Go line that registered it.
func (f Finding) sarifLocation() object {
	location := object{"logicalLocations": []object{{"fullyQualifiedName": f.URN, "name": f.Resource, "kind": "resource"}}}
	file, line := f.Source.File, f.Source.Line
	if file == "" { // some readers, such as GitHub's, drop a result without a file
		file, line = "Pulumi.yaml", 1
	}
	location["physicalLocation"] = object{"artifactLocation": object{"uri": file}, "region": object{"startLine": line}}
	return location
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Failure *junitDetail `xml:"failure,omitempty"`
	Skipped *junitDetail `xml:"skipped,omitempty"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

// WriteJUnit writes the report as test results. A new mandatory violation is a failed test. Every
// other finding is a skipped test.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{Name: "policy " + r.Stack}
	for _, f := range r.Findings {
		testCase := junitCase{Name: f.Resource, Class: f.Rule}
		detail := &junitDetail{Message: string(f.Kind) + ": " + f.Message, Text: f.Why + " Fix: " + f.Fix}
		if f.Kind == Mandatory && f.New {
			testCase.Failure = detail
			suite.Failures++
		} else {
			testCase.Skipped = detail
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, testCase)
	}
	suite.Tests = len(suite.Cases)
	raw, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, raw)
	return err
}
