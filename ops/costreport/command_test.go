package costreport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/source"
)

const (
	prod    = "../../policy/testdata/prod.jsonl"
	staging = "../../policy/testdata/staging.jsonl"
)

// runCost runs the command, and returns its output, messages and exit code.
func runCost(t *testing.T, stack *stackoutput.Stack, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, messages bytes.Buffer
	c := Command(stack)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&messages)
	err := c.ExecuteContext(t.Context())
	code, _ = exitcode.FromError(err)
	if err != nil {
		messages.WriteString(err.Error())
	}
	return out.String(), messages.String(), code
}

// estimateRecordings returns the cost reports of the recorded previews of prod and staging. A
// change of the program changes these recordings, so the tests compute the expected values from the
// reports.
func estimateRecordings(t *testing.T) (prodReport, stagingReport cost.Report) {
	t.Helper()
	for file, r := range map[string]*cost.Report{prod: &prodReport, staging: &stagingReport} {
		stack, err := source.Read(file)
		require.NoError(t, err)
		*r = cost.Estimate(stack, cost.Options{})
	}
	return prodReport, stagingReport
}

// writeState writes a state with one resource in a region to a file, and returns the path.
func writeState(t *testing.T, region string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"deployment":{"resources":[
		{"urn":"urn:pulumi:dev::p::pulumi:providers:aws::aws","inputs":{"region":"`+region+`"}},
		{"urn":"urn:pulumi:dev::p::progressive:network:Network$aws:ec2/natGateway:NatGateway::nat"},
		{"urn":"urn:pulumi:dev::p::progressive:network:Network$aws:ec2/natGateway:NatGateway::old","delete":true}]}}`), 0o600))
	return file
}

func TestReportHasTheCostByComponentAndSKU(t *testing.T) {
	r, _ := estimateRecordings(t)
	tier := r.Components[0]
	out, _, code := runCost(t, &stackoutput.Stack{}, "--file", prod)
	require.Zero(t, code)
	for _, line := range []string{
		"Monthly cost of prod in us-east-1: AWS's list prices on demand, 730 hours",
		fmt.Sprintf("\n%-38s %12s %12s %12s\n", tier.Component, tier.Monthly.Expected, tier.Monthly.Min, tier.Monthly.Max),
		"\n  nat-gateway                                $98.55       $98.55       $98.55                 2190 hour    $0.045  2026-02-24\n",
		fmt.Sprintf("\n%-38s %12s %12s %12s\n", "total", r.Total.Expected, r.Total.Min, r.Total.Max),
		"\nWithout a price, and not in the total:\n  - 3 × mongo: docdb:db.r6g.large (the price table has no row)\n",
		"\nNot counted:\n",
		"support plans and tax",
	} {
		require.Contains(t, out, line)
	}
}

func TestConfigurationSetsTheBudgetAndTheEstimates(t *testing.T) {
	config := filepath.Join(t.TempDir(), "Pulumi.prod.yaml")
	writeConfig := func(policy string) {
		require.NoError(t, os.WriteFile(config, []byte("config:\n  progressive-framework:policy: "+policy+"\n"), 0o600))
	}
	r, _ := estimateRecordings(t)
	writeConfig(`{cost: {monthlyBudget: 50000, estimates: {natGB: 1000}}}`)
	out, _, code := runCost(t, &stackoutput.Stack{Dir: filepath.Dir(config)}, "--file", prod)
	require.Zero(t, code)
	require.Contains(t, out, "nat-gateway:data")
	require.Contains(t, out, fmt.Sprintf("Budget $50,000.00: %s left, before what has no price or is not known yet", 49_955*cost.Dollar-r.Total.Expected), "1,000 GB cost $45")

	writeConfig(`{cost: {monthlyBudget: 1000}}`)
	out, _, code = runCost(t, &stackoutput.Stack{}, "--file", prod, "--config", config)
	require.Zero(t, code, "the rule of the policy pack refuses it, not the report")
	require.Contains(t, out, fmt.Sprintf("Budget $1,000.00: exceeded by %s", r.Total.Expected-1000*cost.Dollar))

	writeConfig(`{cost: {estimates: {natGb: 1}}}`)
	_, message, code := runCost(t, &stackoutput.Stack{}, "--file", prod, "--config", config)
	require.Equal(t, exitcode.Incomplete, code)
	require.Contains(t, message, "estimates.natGb: there is no such estimate")
}

func TestDifferenceShowsTheGrowth(t *testing.T) {
	prodReport, stagingReport := estimateRecordings(t)
	d := cost.Compare(stagingReport, prodReport)
	percent, ok := d.Growth()
	require.True(t, ok)
	out, _, code := runCost(t, &stackoutput.Stack{}, "--file", prod, "--compare", prod, "--max-growth", "0")
	require.Zero(t, code)
	require.Contains(t, out, fmt.Sprintf("Change: $0.00 a month (%s to %s)\n", prodReport.Total.Expected, prodReport.Total.Expected))

	out, message, code := runCost(t, &stackoutput.Stack{}, "--file", prod, "--compare", staging, "--max-growth", fmt.Sprint(percent-1))
	require.Equal(t, exitcode.Found, code)
	require.Contains(t, message, fmt.Sprintf("the expected cost grows by %d %%, must be at most %d %%: %s to %s a month", percent, percent-1, stagingReport.Total.Expected, prodReport.Total.Expected))
	require.Contains(t, out, fmt.Sprintf("Change: %s a month (%s to %s), +%d %%\n", d.Change.Expected.Signed(), stagingReport.Total.Expected, prodReport.Total.Expected, percent))
	require.Contains(t, out, "more with smaller changes")

	_, _, code = runCost(t, &stackoutput.Stack{}, "--file", prod, "--compare", staging, "--max-growth", fmt.Sprint(percent))
	require.Zero(t, code)
	_, _, code = runCost(t, &stackoutput.Stack{}, "--file", staging, "--compare", prod, "--max-growth", "0")
	require.Zero(t, code, "a lower cost is not growth")
}

func TestReportAsJSON(t *testing.T) {
	raw, _, code := runCost(t, &stackoutput.Stack{}, "--file", prod, "--compare", staging, "--json")
	require.Zero(t, code)
	var o output
	require.NoError(t, json.Unmarshal([]byte(raw), &o))
	require.Equal(t, schemaVersion, o.Schema)
	require.Equal(t, "prod", o.Report.Stack)
	require.Equal(t, o.Difference.Change, o.Report.Total.Minus(o.Difference.Before))
	require.Len(t, o.Report.Unpriced, 3)
}

func TestStackIsReadWithoutAFile(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\ncat " + writeState(t, "us-east-1") + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pulumi"), []byte(script), 0o700))
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	out, _, code := runCost(t, &stackoutput.Stack{Name: "dev", Dir: dir})
	require.Zero(t, code)
	require.Contains(t, out, "Monthly cost of dev in us-east-1")
	require.Contains(t, out, "\ntotal                                        $32.85       $32.85       $32.85\n", "a resource that waits for its deletion is not counted")
}

// A replacement has three steps for one resource. The cost before and the cost after the
// change each count the resource once.
func TestReplacementIsCountedOnce(t *testing.T) {
	const urn = "urn:pulumi:dev::p::progressive:network:Network$aws:ec2/natGateway:NatGateway::nat"
	file := filepath.Join(t.TempDir(), "preview.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"config":{"aws:region":"us-east-1"},"steps":[
		{"op":"create-replacement","newState":{"urn":"`+urn+`"}},
		{"op":"replace","newState":{"urn":"`+urn+`"}},
		{"op":"delete-replaced","oldState":{"urn":"`+urn+`"}},
		{"op":"delete","oldState":{"urn":"urn:pulumi:dev::p::aws:kms/key:Key::gone"}}]}`), 0o600))
	out, _, code := runCost(t, &stackoutput.Stack{}, "--file", file, "--compare", writeState(t, "us-east-1"))
	require.Zero(t, code)
	require.Contains(t, out, "Change: $0.00 a month ($32.85 to $32.85)")
}

func TestWrongInputHasItsExitCode(t *testing.T) {
	for _, tc := range []struct {
		reason string
		args   []string
		code   int
		want   string
	}{
		{"a region without prices", []string{"--file", writeState(t, "eu-central-1")}, exitcode.Incomplete, "no figure for dev: the price table has no row for the region eu-central-1"},
		{"no region before the change", []string{"--file", prod, "--compare", writeState(t, "eu-central-1"), "--max-growth", "5"}, exitcode.Incomplete, "no figure before the change"},
		{"no such file", []string{"--file", "none.json"}, exitcode.Incomplete, "none.json"},
		{"no such file to compare with", []string{"--file", prod, "--compare", "none.json"}, exitcode.Incomplete, "none.json"},
		{"a file that is not of a stack", []string{"--file", "command_test.go"}, exitcode.Incomplete, "neither a state export nor a preview's JSON"},
		{"a growth limit without --compare", []string{"--file", prod, "--max-growth", "5"}, exitcode.Usage, "--max-growth needs --compare"},
		{"an argument", []string{"prod"}, exitcode.Usage, "unknown command"},
		{"no offer", []string{"refresh"}, exitcode.Usage, "--offer is missing"},
	} {
		_, message, code := runCost(t, &stackoutput.Stack{}, tc.args...)
		require.Equal(t, tc.code, code, tc.reason)
		require.Contains(t, message, tc.want, tc.reason)
	}
}

func TestRefreshPrintsTheChangedRows(t *testing.T) {
	const file = "../awsoffer/testdata/ec2.json"
	out, messages, code := runCost(t, &stackoutput.Stack{}, "refresh", "--offer", file)
	require.Zero(t, code)
	require.Equal(t, "ec2:m6i.xlarge,185000,hour,us-east-1,2026-10-01,AWS price list AmazonEC2 20261001000000\n", out)
	require.Contains(t, messages, "AmazonEC2 20261001000000: 1 rows change, 3 are equal")
	require.Contains(t, messages, "ec2:m6i.xlarge in us-east-1: $0.192 to $0.185 (hour)")
	require.Contains(t, messages, "no row: ec2:c7g.large")

	server := httptest.NewServer(http.FileServer(http.Dir("../awsoffer/testdata")))
	defer server.Close()
	out, _, code = runCost(t, &stackoutput.Stack{}, "refresh", "--offer", server.URL+"/ec2.json", "--new", "ec2:m99", "--all")
	require.Zero(t, code)
	rows, err := cost.ParsePrices("sku,micro_usd,unit,region,as_of,sources\n" + out)
	require.NoError(t, err)
	require.Len(t, rows, 5, "one changed, one new, three equal")

	_, message, code := runCost(t, &stackoutput.Stack{}, "refresh", "--offer", server.URL+"/none.json")
	require.Equal(t, exitcode.Incomplete, code)
	require.Contains(t, message, "404 Not Found, must be 200")
	_, message, _ = runCost(t, &stackoutput.Stack{}, "refresh", "--offer", "command_test.go")
	require.Contains(t, message, "offer file")
}
