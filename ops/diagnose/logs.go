package diagnose

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/ops/kubeclient"
)

const (
	// mcaLines and mcaBytes limit what is read of one log of mca. maxLogs limits the number of logs
	// of mca, and the number of logs of ended containers. mca has at most 20 pods.
	mcaLines, mcaBytes = 2000, 1 << 20
	maxLogs            = 25
	// endedLines and endedBytes limit what is read of the log of a container that ended.
	endedLines, endedBytes = 3, 2 << 10
	// maxFailures is the highest number of failed coordinations in a report.
	maxFailures = 10
)

// coordinationFailure is a line of mca's log about a failed agent or coordination.
type coordinationFailure struct {
	pod       string
	Time      time.Time `json:"time"`
	Message   string    `json:"msg"`
	RequestID string    `json:"request_id"`
	Agent     string    `json:"agent"`
	Reason    string    `json:"reason"`
}

// String returns the failure as text, without the user and the text of the error. These may be
// private.
func (f coordinationFailure) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s at %s, pod/%s: %s %s", f.Message, f.Time.UTC().Format(time.RFC3339), f.pod, f.Agent, f.Reason))
}

// readLogs reads the last lines of containers that ended, and the failed coordinations in mca's
// logs.
func (o *objects) readLogs(ctx context.Context, client kubernetes.Interface) (missing []Missing) {
	o.logs = map[string]string{}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	readLog := func(check Check, pod string, options corev1.PodLogOptions, maxBytes int64, store func(text string)) {
		wg.Go(func() {
			options.LimitBytes = &maxBytes
			stream, err := client.CoreV1().Pods(o.namespace).GetLogs(pod, &options).Stream(ctx)
			var text []byte
			if err == nil {
				defer stream.Close()
				text, err = io.ReadAll(io.LimitReader(stream, maxBytes))
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case apierrors.IsNotFound(err), apierrors.IsBadRequest(err): // the kubelet has removed the container
				return
			case err != nil:
				missing = append(missing, Missing{check, "log of pod/" + pod, describeReadError(err)})
				return
			}
			store(string(text))
		})
	}
	mcaPods, endedContainers := 0, 0
	for _, pod := range o.pods {
		if pod.Labels["app"] == scaling.MCA().Name && kubeclient.IsReady(pod) {
			if mcaPods++; mcaPods <= maxLogs {
				lines, since := int64(mcaLines), int64(window.Seconds())
				readLog(Agents, pod.Name, corev1.PodLogOptions{Container: scaling.MCA().Name, TailLines: &lines, SinceSeconds: &since}, mcaBytes, func(text string) {
					o.failures = append(o.failures, parseCoordinationFailures(pod.Name, text)...)
				})
			}
		}
		for _, c := range containerStatuses(pod) {
			end := lastTermination(c)
			if end == nil || o.now.Sub(end.FinishedAt.Time) >= maxFaultAge {
				continue
			}
			if end == c.State.Terminated && end.ExitCode == 0 {
				continue // an init container that has ended without an error; its log is not needed
			}
			if endedContainers++; endedContainers <= maxLogs {
				lines, key := int64(endedLines), pod.Name+"/"+c.Name
				readLog(Resources, pod.Name, corev1.PodLogOptions{Container: c.Name, Previous: c.State.Terminated == nil, TailLines: &lines}, endedBytes, func(text string) { o.logs[key] = text })
			}
		}
	}
	wg.Wait()
	if mcaPods > maxLogs {
		missing = append(missing, Missing{Agents, fmt.Sprintf("logs of %d more pods of %s", mcaPods-maxLogs, scaling.MCA().Name), fmt.Sprintf("at most %d logs are read, so their failed coordinations are not listed", maxLogs)})
	}
	if endedContainers > maxLogs {
		missing = append(missing, Missing{Resources, fmt.Sprintf("last log lines of %d more containers", endedContainers-maxLogs), fmt.Sprintf("at most %d logs are read", maxLogs)})
	}
	slices.SortFunc(o.failures, func(a, b coordinationFailure) int { return b.Time.Compare(a.Time) })
	o.failures = o.failures[:min(len(o.failures), maxFailures)]
	return missing
}

// parseCoordinationFailures returns the failures in the text of a log of mca.
func parseCoordinationFailures(pod, text string) (list []coordinationFailure) {
	for line := range strings.Lines(text) {
		f := coordinationFailure{pod: pod}
		if json.Unmarshal([]byte(line), &f) == nil && (f.Message == "an agent failed" || f.Message == "coordination failed") {
			list = append(list, f)
		}
	}
	return list
}

// describeFailedRequests returns a text with the IDs of the newest failed requests of a pod. It
// returns "" if there is none.
func (o objects) describeFailedRequests(pod string) string {
	var ids []string
	for _, f := range o.failures {
		if f.pod == pod && f.RequestID != "" && !slices.Contains(ids, f.RequestID) && len(ids) < 3 {
			ids = append(ids, f.RequestID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return "; the last requests: " + strings.Join(ids, ", ")
}

// describeLastLines returns a text with the last log lines of a container that ended. It returns ""
// if there are none.
func (o objects) describeLastLines(pod, container string) string {
	if text := strings.TrimSpace(o.logs[pod+"/"+container]); text != "" {
		return fmt.Sprintf("; it said: %.300s", strings.Join(strings.Fields(text), " "))
	}
	return ""
}
