package main

import (
	"testing"
	"testing/fstest"
)

// Each row has examples of one rule: names and prose that the rule refuses, and names and prose
// that it permits.
func TestEachRuleRefusesItsExamplesAndPermitsOthers(t *testing.T) {
	for _, tc := range []struct {
		rule      string
		names     []string // names that the rule refuses
		prose     []string // comments, strings or Markdown that the rule refuses
		goodNames []string // names that the rule permits
		goodProse []string // prose that the rule permits
	}{
		{"told", []string{"told", "toldNodes"}, []string{"the settings told to it", "Config is all that the service is told"},
			[]string{"config"}, []string{"the client is asked and told to wait"}},
		{"made", []string{"made", "madeRow", "what_made"}, []string{"after the bucket was made", "groups are\n made"},
			[]string{"maker", "created"}, []string{"a node is made of parts", "mistakes made by hand"}},
		{"lay", []string{"lay", "layNetwork"}, []string{"components are laid by infra", "it lays the layers"},
			[]string{"layout", "layer", "delay"}, []string{"the layout is laid out in rows"}},
		{"takes", []string{"TakesEnv"}, nil, []string{"intakes"}, []string{"it takes a second"}},
		{"give", []string{"give", "giveRole"}, nil, []string{"giveUp", "given"}, []string{"they give an error"}},
		{"of", []string{"of"}, nil, []string{"limiterOf", "typeOf"}, []string{"a list of nodes"}},
		{"room", nil, []string{"the rules of the house", "each room has a door"}, nil, []string{"leave room for a suffix"}},
		{"rights", []string{"rights", "RightsOf"}, []string{"it runs without rights"}, []string{"right", "copyrights"}, []string{"the right answer"}},
		{"ask", []string{"ask", "asked", "askedZones"}, nil, []string{"task", "askAgain"}, []string{"what is asked"}},
		{"question", []string{"question", "openQuestions"}, nil, []string{"quest"}, []string{"the question is open"}},
		{"wishes", []string{"Wishes", "wish"}, []string{"the user's wishes"}, []string{"preferences"}, []string{"swishing"}},
		{"driver", []string{"scaleInDriver"}, []string{"the driver of a group", "two scale-in drivers"}, []string{"driver"}, []string{"the CSI driver"}},
		{"beside", []string{"beside", "besideRange"}, []string{"replicas beside an autoscaler"}, []string{"besides"}, []string{"besides, it is cheap"}},
		{"backing", []string{"backing", "backingServers"}, []string{"backing services"}, []string{"back"}, []string{"it shares the backing array"}},
		{"patient", []string{"Patient", "patientWriter"}, nil, []string{"patience"}, []string{"be patient"}},
		{"around", []string{"Around"}, nil, []string{"aroundMidnight"}, []string{"a wrapper around it"}},
		{"observe", []string{"Observe"}, nil, []string{"observer"}, []string{"to observe a value"}},
		{"adjust", []string{"Adjust"}, nil, []string{"adjusted"}, []string{"adjust it"}},
		{"world", []string{"world", "newWorld"}, []string{"a row needs only the world"}, []string{"worldly"}, []string{`it prints "hello, world"`}},
		{"leftovers", []string{"Leftovers", "leftover"}, []string{"search for leftovers"}, []string{"left"}, []string{"what is left over"}},
		{"heard", []string{"heard"}, []string{"the message was heard"}, []string{"heartbeat"}, []string{"hearing nothing"}},
		{"meet", []string{"Meet", "meetPeers"}, []string{"two nodes meet"}, []string{"meeting"}, []string{"it doesn't meet the requirement"}},
		{"mend", []string{"mend", "mended"}, []string{"mend it and run again", "an error that tells the mend"}, []string{"amend", "recommended"}, []string{"we recommend it"}},
		{"whom", []string{"whom"}, []string{"the node of whom it asks"}, []string{"who"}, []string{"who signed in"}},
		{"who", []string{"whose"}, []string{"a node who answers"}, []string{"who"}, []string{"the user who signed in", "a node whose address is known"}},
		{"stranger", []string{"stranger"}, []string{"a stranger's word", "not for strangers"}, []string{"strange"}, []string{"a strange value"}},
		{"stands", nil, []string{"what stands there"}, nil, []string{"one value stands for all", "what stands in for AWS", "a stand-in"}},
		{"lies", nil, []string{"the file lies in a folder"}, nil, []string{"families", "the first lie"}},
		{"luck", []string{"luck"}, []string{"does not depend on luck"}, []string{"lucky"}, []string{"chance"}},
		{"deal", []string{"deal", "dealing"}, nil, []string{"ideal"}, []string{"deal with errors"}},
		{"dive", []string{"dive"}, nil, []string{"divide", "divingHeuristic"}, []string{"a dive"}},
		{"diary", []string{"diary"}, []string{"the diary of a week"}, []string{"history"}, []string{"dairy products"}},
		{"weariness", []string{"weariness"}, []string{"the weariness of a food"}, []string{"wear"}, []string{"the penalty"}},
		{"stray", []string{"stray", "strayProcesses"}, []string{"a stray process"}, []string{"array", "betrayal"}, []string{"an array"}},
		{"misled", []string{"misled"}, []string{"a node that is misled"}, []string{"mislead"}, []string{"a misleading name"}},
		{"outrun", []string{"outrun"}, []string{"its epoch is outrun"}, []string{"run"}, []string{"it runs out"}},
		{"departed", []string{"departed"}, []string{"departed nodes"}, []string{"depart"}, []string{"a node departs"}},
		{"seed", []string{"seed_test"}, []string{"as the seed says", "the seed's limits", `seed, "Redis"`}, []string{"Seed", "seedOf"},
			[]string{"the seed of the random numbers", "without a seed", "the seed for math/rand"}},
		{"behavior", nil, []string{"the behavior of an HPA", "two\nbehaviors", "a window of its behavior."}, nil,
			[]string{"the behaviour of an HPA", "// Behavior limits an HPA", `"behavior"`, `"spec.behavior.scaleUp"`, "`behavior.scaleUp.tolerance`", `"/spec/behavior"`}},
		{"cancelled", []string{"ErrCancelled", "initialise"}, []string{"it is cancelled", "Unrecognised keys", "the licence", "a linear programme"},
			[]string{"canceled", "cancellation"}, []string{"it is canceled", "initialized", "a program is programmed", "an exercise"}},
		{"issue", nil, []string{"see issue 12", "as in issue #12"}, nil, []string{"an issue with 3 nodes"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			rule := findRule(t, tc.rule)
			if (rule.Names == nil) != (tc.names == nil) || (rule.Prose == nil) != (tc.prose == nil) {
				t.Fatal("a row needs an example for each pattern of the rule")
			}
			for _, name := range tc.names {
				requireRefused(t, "x.go", Fragment{1, name, true}, tc.rule)
			}
			for _, text := range tc.prose {
				requireRefused(t, "x.go", Fragment{1, text, false}, tc.rule)
			}
			for _, name := range tc.goodNames {
				requirePermitted(t, "x.go", Fragment{1, name, true}, tc.rule)
			}
			for _, text := range tc.goodProse {
				requirePermitted(t, "x.go", Fragment{1, text, false}, tc.rule)
			}
		})
	}
}

// A rule of one folder refuses a name there and permits it in other folders.
func TestRuleOfAFolderPermitsTheWordElsewhere(t *testing.T) {
	for _, tc := range []struct{ rule, name, inside, outside string }{
		{"part", "part", "agents/mca/request.go", "agents/npa/request.go"},
		{"space", "Space", "agents/internal/cache/cache.go", "sandbox/diagram/layout.go"},
		{"home", "home", "sandbox/cmd/up.go", "agents/web/page.go"},
		{"fleet", "Fleet", "agents/internal/x.go", "components/tier/fleet.go"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			requireRefused(t, tc.inside, Fragment{1, tc.name, true}, tc.rule)
			requirePermitted(t, tc.outside, Fragment{1, tc.name, true}, tc.rule)
		})
	}
}

// Every rule has a replacement, a pattern, and a name that no other rule has.
func TestEveryRuleHasAReplacement(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rules {
		if r.Say == "" || seen[r.Word] || (r.Names == nil && r.Prose == nil) {
			t.Errorf("rule %q: needs a replacement, a pattern and a name of its own", r.Word)
		}
		seen[r.Word] = true
	}
	if want := 45; len(rules) != want {
		t.Errorf("%d rules, the tests have examples for %d: add a row to TestEachRuleRefusesItsExamplesAndPermitsOthers", len(rules), want)
	}
}

// findRule returns the rule of a word.
func findRule(t *testing.T, word string) Rule {
	t.Helper()
	for _, r := range rules {
		if r.Word == word {
			return r
		}
	}
	t.Fatalf("there is no rule %q", word)
	return Rule{}
}

// requireRefused requires that the rule refuses the fragment.
func requireRefused(t *testing.T, path string, f Fragment, rule string) {
	t.Helper()
	if len(checkFragment(path, f, []Rule{findRule(t, rule)})) == 0 {
		t.Errorf("%s, %q: is permitted, must be refused", path, f.Text)
	}
}

// requirePermitted requires that the rule permits the fragment.
func requirePermitted(t *testing.T, path string, f Fragment, rule string) {
	t.Helper()
	if len(checkFragment(path, f, []Rule{findRule(t, rule)})) > 0 {
		t.Errorf("%s, %q: is refused, must be permitted", path, f.Text)
	}
}

func TestLintReportsWordsPackagesAndUnusedExceptions(t *testing.T) {
	const cleanFile = "// Package x is fine.\npackage x\n" // a file without a finding
	for _, tc := range []struct {
		name    string
		files   map[string]string
		allowed []Exception
		want    []string // the findings, in a form that requireFindings accepts; nil: there is none
	}{
		{"clean files", map[string]string{"x/x.go": cleanFile, "README.md": "# Fine\n"}, nil, nil},
		{"a comment over two lines, at the line of its first word",
			map[string]string{"x.go": "package x\n\n// One line. As the\n// seed says.\nvar y int\n"}, nil,
			[]string{`x.go:3: "the seed": say the design document (rule "seed"): One line. As the`}},
		{"names of functions, parameters, fields, variables, loops",
			map[string]string{"x.go": "package x\n\nfunc made(told int) (heard int) {\n\tmend := 1\n\tfor luck := range 3 {\n\t\t_ = luck + mend\n\t}\n\tvar dive struct{ diary int }\n\treturn dive.diary\n}\n"}, nil,
			[]string{"x.go:3: made", "x.go:3: told", "x.go:3: heard", "x.go:4: mend", "x.go:5: luck", "x.go:8: dive", "x.go:8: diary"}},
		{"a name that is only used, because it is from another module", map[string]string{"x.go": "package x\n\nimport \"other\"\n\nvar Y = other.Made()\n"}, nil, nil},
		{"the name of a file", map[string]string{"leftovers.go": "package x\n"}, nil, []string{"leftovers.go:1: leftovers"}},
		{"the name of a package", map[string]string{"x/x.go": "package mend\n"}, nil, []string{"x/x.go:1: mend"}},
		{"a string", map[string]string{"x.go": "package x\n\nvar y = \"mend it\"\n"}, nil, []string{"x.go:3: mend"}},
		{"import paths and struct tags are not prose", map[string]string{"x.go": "package x\n\nimport _ \"mend/beside\"\n\ntype T struct {\n\tY int `json:\"mend\"`\n}\n"}, nil, nil},
		{"a paragraph of Markdown with the word, after one with its other meaning", map[string]string{"a.md": "The rng's\nseed.\n\nAs the seed says.\n"}, nil, []string{"a.md:4: seed"}},
		{"a line of Markdown", map[string]string{"docs/a.md": "# A\n\nReplicas beside an autoscaler.\n"}, nil, []string{"docs/a.md:3: beside"}},
		{"generated code is not read", map[string]string{"x.go": "// Code generated by y. DO NOT EDIT.\n\npackage x\n\nvar made int\n"}, nil, nil},
		{"hidden folders, node_modules and testdata are not read", map[string]string{".git/a.md": "mend", "node_modules/a.md": "mend", "x/testdata/a.go": "mend"}, nil, nil},
		{"two packages with the same name", map[string]string{"a/plan/p.go": cleanFile, "sandbox/b/plan/p.go": cleanFile}, nil,
			[]string{"sandbox/b/plan/: package x has the name of a/plan"}},
		{"packages main and external test packages may share a name",
			map[string]string{"a/m.go": "package main\n", "b/m.go": "package main\n", "c/c_test.go": "package c_test\n", "d/c_test.go": "package c_test\n"}, nil, nil},
		{"an exception for a folder", map[string]string{"x/y.go": "package x\n\n// CLUSTER MEET: nodes meet.\n"},
			[]Exception{{"x/", "meet", "CLUSTER", "Redis's command"}}, nil},
		{"an exception whose text is not in the line", map[string]string{"x/y.go": "package x\n\n// Two nodes meet.\n"},
			[]Exception{{"x/", "meet", "CLUSTER", "Redis's command"}}, []string{"x/y.go:3: meet", "permits nothing"}},
		{"an exception without a use", map[string]string{"x/y.go": cleanFile}, []Exception{{"x/", "meet", "", "no reason"}}, []string{"permits nothing"}},
		{"an exception for all rules", map[string]string{"a.md": "mend beside"}, []Exception{{"a.md", "", "", "another's text"}}, nil},
		{"an exception for packages with the same name", map[string]string{"a/x/p.go": cleanFile, "b/x/p.go": cleanFile}, []Exception{{"b/x/", "namesake", "x", "the same concern"}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for path, text := range tc.files {
				files[path] = &fstest.MapFile{Data: []byte(text)}
			}
			findings, err := Lint(files, rules, tc.allowed)
			if err != nil {
				t.Fatal(err)
			}
			requireFindings(t, findings, tc.want)
		})
	}
}

func TestAFileThatDoesNotParseIsAnError(t *testing.T) {
	if _, err := Lint(fstest.MapFS{"x.go": {Data: []byte("packag x")}}, rules, nil); err == nil {
		t.Fatal("no error")
	}
}

func TestEveryExceptionHasAReason(t *testing.T) {
	for _, e := range allowed {
		if e.Path == "" || e.Reason == "" {
			t.Errorf("%+v: needs a path and a reason", e)
		}
	}
}
