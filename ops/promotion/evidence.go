package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/progressive-framework/platform/ops/kubeclient"
	"github.com/progressive-framework/platform/ops/stackoutput"
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
