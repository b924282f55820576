package cloudview

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/ops/diagnose"
)

const (
	// operationsWindow is how far back in time slow operations are read.
	operationsWindow = 10 * time.Minute
	// maxPages limits the calls for one log. A call returns up to 10,000 lines or 1 MiB, and may
	// return none before the end of the log (CloudWatch Logs API, FilterLogEvents).
	maxPages = 10
)

// profilerEntry is a line in the log of DocumentDB's profiler (Amazon DocumentDB Developer Guide,
// "Profiling Amazon DocumentDB operations").
type profilerEntry struct {
	Operation  string `json:"op"`
	Collection string `json:"ns"`
	Millis     int64  `json:"millis"`
	Plan       string `json:"planSummary"`
}

// readOperations reads the slow operations of a cluster from the log of its profiler.
func (c *collector) readOperations(ctx context.Context, cluster string) {
	what, in := "slow operations of "+cluster, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/docdb/" + cluster + "/profiler"), FilterPattern: aws.String(fmt.Sprintf("{ $.millis > %d }", docdbspec.SlowOperation.Milliseconds())),
		StartTime: aws.Int64(c.now.Add(-operationsWindow).UnixMilli()), EndTime: aws.Int64(c.now.UnixMilli()),
	}
	var operations []diagnose.Operation
	for range maxPages {
		out, err := c.logs.FilterLogEvents(ctx, in)
		if err != nil {
			c.record(diagnose.Database, what, err, nil)
			return
		}
		for _, e := range out.Events {
			var line profilerEntry
			if err := json.Unmarshal([]byte(aws.ToString(e.Message)), &line); err != nil {
				c.record(diagnose.Database, what, fmt.Errorf("a line of its log is not the profiler's JSON: %w", err), nil)
				return
			}
			operations = append(operations, diagnose.Operation{
				Cluster: cluster, Operation: line.Operation, Collection: line.Collection, Plan: line.Plan,
				Duration: time.Duration(line.Millis) * time.Millisecond, At: time.UnixMilli(aws.ToInt64(e.Timestamp)),
			})
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	c.record(diagnose.Database, what, nil, func() { c.cloud.Operations = append(c.cloud.Operations, operations...) })
	if in.NextToken != nil {
		c.record(diagnose.Database, "further "+what, fmt.Errorf("the log has more than the %d pages that are read", maxPages), nil)
	}
}
