package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/progressive-framework/platform/ops/ci/canonicalplan"
	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/policy/cost"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/policy/waiver"
	"github.com/progressive-framework/platform/release/record"
)

// maxEvidenceBytes limits the size of a file of evidence. A report of pf load of one hour has less
// than 5 MB.
const maxEvidenceBytes = 64 << 20

// readFile reads a file of evidence, which may have at most maxEvidenceBytes.
func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxEvidenceBytes+1))
	if err == nil && len(raw) > maxEvidenceBytes {
		err = fmt.Errorf("%s is larger than %d bytes", file, maxEvidenceBytes)
	}
	return raw, err
}

// readEvidence decodes a JSON file into the value that into points to.
func readEvidence(file string, into any) error {
	raw, err := readFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s is no report: %w", file, err)
	}
	return nil
}

// errNoEvidence marks an error that means that the evidence of a gate does not exist or could not be
// read. The result of the gate is then unknown.
var errNoEvidence = errors.New("no evidence")

// checkPods checks that the pods of a stack's namespace run exactly the stack's images. It returns
// the number of containers that run one of these images. It ignores pods that have ended or are
// being deleted.
func checkPods(ctx context.Context, client kubernetes.Interface, namespace, repository string, digests map[string]string) (int, error) {
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, fmt.Errorf("cluster: %w: %w", errNoEvidence, err)
	}
	containers, mismatches := 0, map[string]bool{}
	for _, pod := range list.Items {
		if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		for _, c := range pod.Spec.Containers {
			path, isOwn := strings.CutPrefix(c.Image, repository+"/")
			if !isOwn {
				continue // the image of a third-party program
			}
			short, digest, _ := strings.Cut(path, "@")
			if digests[short] == "" || digests[short] != digest {
				mismatches[pod.Name+" runs "+c.Image] = true
			}
			containers++
		}
	}
	if len(mismatches) > 0 {
		return containers, fmt.Errorf("the pods run other images than the stack's output names: %s; wait until the rollout has ended, or run pulumi up", strings.Join(slices.Sorted(maps.Keys(mismatches)), ", "))
	}
	if containers == 0 {
		return 0, fmt.Errorf("no pod in %s runs an image of %s", namespace, repository)
	}
	return containers, nil
}

// newPodClients returns clients for the cluster of a stack.
func newPodClients(o stackoutput.Outputs) (kubeclient.Clients, error) {
	if len(o.KubeconfigContent()) == 0 {
		return kubeclient.Clients{}, fmt.Errorf("cluster: %w: the stack has no output kubeconfig", errNoEvidence)
	}
	clients, err := kubeclient.New(o.KubeconfigContent())
	if err != nil {
		return kubeclient.Clients{}, fmt.Errorf("cluster: %w: %w", errNoEvidence, err)
	}
	return clients, nil
}

// lastUpdateEnd returns the time at which the last update of a stack ended. It returns an error if
// that update failed, because the stack may then differ from its program.
func lastUpdateEnd(history []stackoutput.Update) (time.Time, error) {
	for _, u := range history {
		if u.Kind != "update" {
			continue
		}
		if u.Result != "succeeded" {
			return time.Time{}, fmt.Errorf("the last update of the stack is %s: run pulumi up until it succeeds", u.Result)
		}
		return u.Ended, nil
	}
	return time.Time{}, errors.New("the stack has no update in its history")
}

// loadReport is the part of a JSON report of pf load that the gate needs.
type loadReport struct {
	Schema      int       `json:"schema"`
	URL         string    `json:"url"`
	Started     time.Time `json:"started"`
	Interrupted bool      `json:"interrupted"`
	// Images are the stack's images before and after the test, as REPOSITORY@DIGEST.
	Images    map[string]string `json:"images"`
	Refusals  responseCheck     `json:"refusals"`
	Responses responseCheck     `json:"answers"`
	Load      []struct {
		Name        string         `json:"name"`
		Sent        int            `json:"sent"`
		Failed      map[string]int `json:"failed"`
		P95         float64        `json:"p95"`
		Limit       float64        `json:"limit"`
		WithinLimit bool           `json:"kept"`
	} `json:"load"`
}

// responseCheck has the wrong responses of one kind of request.
type responseCheck struct {
	Wrong []string `json:"wrong"`
}

// checkLoad checks the report of a load test. The test must have run on the stack at url with exactly
// these images, and after the last update. Every limit must be kept, and no response may be wrong.
func checkLoad(r loadReport, url string, images map[string]string, updated time.Time) error {
	switch {
	case r.Schema != 1:
		return fmt.Errorf("the report has schema %d, must be 1: write it with this pf load --json", r.Schema)
	case r.URL != url:
		return fmt.Errorf("the report is of %s, must be of %s", r.URL, url)
	case len(r.Images) == 0:
		return errors.New("the report does not say which images it tested: run pf load --stack without --url")
	case !maps.Equal(r.Images, images):
		return fmt.Errorf("the report is of other images: %s", strings.Join(describeImageDifferences(r.Images, images), ", "))
	case r.Started.Before(updated):
		return fmt.Errorf("the test began at %s, before the last update at %s: it tested other images", r.Started.UTC().Format(time.RFC3339), updated.UTC().Format(time.RFC3339))
	case r.Interrupted:
		return errors.New("the test was interrupted")
	case len(r.Refusals.Wrong)+len(r.Responses.Wrong) > 0:
		return fmt.Errorf("the platform gave wrong responses: %s", strings.Join(append(r.Refusals.Wrong, r.Responses.Wrong...), "; "))
	case len(r.Load) == 0:
		return errors.New("the report has no load")
	}
	var problems []string
	for _, row := range r.Load {
		failed := 0
		for _, n := range row.Failed {
			failed += n
		}
		if failed > 0 {
			problems = append(problems, fmt.Sprintf("%s: %d of %d requests failed", row.Name, failed, row.Sent))
		}
		if !row.WithinLimit {
			problems = append(problems, fmt.Sprintf("%s: p95 %.0f ms, must be at most %.0f ms", row.Name, row.P95, row.Limit))
		}
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}

// describeImageDifferences returns a text for each image of the test that differs from the promoted
// image.
func describeImageDifferences(tested, promoted map[string]string) (all []string) {
	for _, short := range unionOfKeys(tested, promoted) {
		if tested[short] != promoted[short] {
			all = append(all, fmt.Sprintf("%s was %s, is %s", short, textOrNone(tested[short]), textOrNone(promoted[short])))
		}
	}
	return all
}

// readPlan reads plan.json of pf ci preview --out. It checks that the plan is of this stack at this
// commit, and that the preview ran against the stack's own state.
func readPlan(dir, stack, commit string) (*canonicalplan.Plan, error) {
	file := filepath.Join(dir, "plan.json")
	raw, err := readFile(file)
	if err != nil {
		return nil, err
	}
	plan, err := canonicalplan.Decode(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is no report: %w", file, err)
	case plan.Stack != stack:
		return nil, fmt.Errorf("%s is a preview of the stack %q, must be of %q", dir, plan.Stack, stack)
	case plan.Offline:
		// Each step of an offline preview creates a resource, so no step shows a loss of data.
		return nil, fmt.Errorf("%s is a preview with --offline, which compares with an empty stack: preview without --offline", dir)
	case !strings.HasPrefix(plan.Commit, commit): // the draft of the release is a change of the working tree
		return nil, fmt.Errorf("%s is a preview of the program at commit %.12s, must be at %.12s: preview again", dir, plan.Commit, commit)
	}
	return plan, nil
}

// checkPreview reads plan.json, verdict.json and policy.json of pf ci preview --out. It checks that
// the preview is of the stack with the digests of the record, at its commit. The preview must
// replace or delete nothing that holds data, and have no new mandatory violation.
func checkPreview(dir, stack string, r *record.Record) (string, error) {
	plan, err := readPlan(dir, stack, r.Commit)
	if err != nil {
		return "", err
	}
	var verdict struct {
		Losses []struct {
			Op, URN, Refused string
			Approval         *json.RawMessage
		} `json:"losses"`
	}
	var policy struct {
		Findings []struct {
			Rule, Kind, Resource string
			New                  bool
		} `json:"findings"`
	}
	for file, into := range map[string]any{"verdict.json": &verdict, "policy.json": &policy} {
		if err := readEvidence(filepath.Join(dir, file), into); err != nil {
			return "", err
		}
	}
	var problems []string
	images := 0
	for _, image := range plan.Images {
		if image.After == "" {
			continue // the preview deletes the image
		}
		if images++; !slices.Contains(slices.Collect(maps.Values(r.Images)), image.After) {
			problems = append(problems, fmt.Sprintf("%s has another image, %s", image.Name, image.After))
		}
	}
	if images == 0 || len(problems) > 0 {
		problems = append(problems, "the preview is not of this release: write it with --draft, and preview again")
	}
	for _, loss := range verdict.Losses {
		if loss.Approval == nil {
			problems = append(problems, fmt.Sprintf("%s of %s, which holds data: %s", loss.Op, loss.URN, loss.Refused))
		}
	}
	for _, f := range policy.Findings {
		if f.New && f.Kind == "mandatory" {
			problems = append(problems, fmt.Sprintf("new violation of %s by %s", f.Rule, f.Resource))
		}
	}
	if len(problems) > 0 {
		return "", errors.New(strings.Join(problems, "; "))
	}
	return fmt.Sprintf("%d changes at commit %.12s, %d images, no loss without an approval, no new mandatory violation", len(plan.Steps), plan.Commit, images), nil
}

// checkCost checks that the preview's cost is within a monthly budget, in US dollars.
func checkCost(dir string, budget int64) (string, error) {
	var c struct {
		After, Before cost.Report
	}
	if err := readEvidence(filepath.Join(dir, "cost.json"), &c); err != nil {
		return "", err
	}
	after, limit := c.After.Total.Expected, cost.Micros(budget)*cost.Dollar
	switch {
	case c.After.NoFigure != "":
		return "", fmt.Errorf("the preview has no cost: %s", c.After.NoFigure)
	case after > limit:
		return "", fmt.Errorf("the stack would cost %s a month, the budget is %s (policy.cost.monthlyBudget)", after, limit)
	}
	return fmt.Sprintf("%s a month of %s, before %s; without a price: %d", after, limit, c.Before.Total.Expected, len(c.After.Unpriced)+len(c.After.Undecided)), nil
}

// readMonthlyBudget returns the budget in a stack's file in US dollars. It is 0 without a budget.
func (p project) readMonthlyBudget(stack string) (int64, error) {
	values, err := stackconfig.Read(filepath.Join(p.dir, fileName(stack)))
	if err != nil {
		return 0, err
	}
	config, err := waiver.Parse(values[waiver.Key])
	return config.Cost.MonthlyBudget, err
}
