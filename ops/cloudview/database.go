package cloudview

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pi"
	pitypes "github.com/aws/aws-sdk-go-v2/service/pi/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/progressive-framework/platform/ops/diagnose"
)

const (
	// eventWindow and waitWindow are how far back in time events and waits are read.
	eventWindow, waitWindow = 24 * time.Hour, 10 * time.Minute
	// maxEvents and maxWaits limit the numbers of events and waits.
	maxEvents, maxWaits = 20, 5
)

// readEvents reads the events of an instance of RDS, or of a cluster of DocumentDB. The API of
// RDS also returns the events of DocumentDB (Amazon DocumentDB Developer Guide, "Using Amazon
// DocumentDB event subscriptions").
func (c *collector) readEvents(ctx context.Context, source string, kind rdstypes.SourceType) {
	out, err := c.databases.DescribeEvents(ctx, &rds.DescribeEventsInput{
		SourceIdentifier: aws.String(source), SourceType: kind,
		Duration: aws.Int32(int32(eventWindow.Minutes())), MaxRecords: aws.Int32(maxEvents),
	})
	c.record(diagnose.Database, "events of "+source, err, func() {
		for _, e := range out.Events {
			c.cloud.Events = append(c.cloud.Events, diagnose.Event{Source: source, Message: aws.ToString(e.Message), Categories: e.EventCategories, At: aws.ToTime(e.Date)})
		}
	})
}

// readWaits reads the top wait events of an RDS instance from Performance Insights.
func (c *collector) readWaits(ctx context.Context, instance string) {
	what := "top waits of " + instance
	out, err := c.databases.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(instance)})
	if err == nil && len(out.DBInstances) != 1 {
		err = fmt.Errorf("RDS has %d instances of the name", len(out.DBInstances))
	}
	if err != nil {
		c.record(diagnose.Database, what, err, nil)
		return
	}
	db := out.DBInstances[0]
	if !aws.ToBool(db.PerformanceInsightsEnabled) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.absent = append(c.absent, diagnose.Absent{Check: diagnose.Database, What: what, Why: "Performance Insights is off"})
		return
	}
	metrics, err := c.insights.GetResourceMetrics(ctx, &pi.GetResourceMetricsInput{
		ServiceType: pitypes.ServiceTypeRds, Identifier: db.DbiResourceId,
		StartTime: aws.Time(c.now.Add(-waitWindow)), EndTime: aws.Time(c.now), PeriodInSeconds: aws.Int32(60),
		MetricQueries: []pitypes.MetricQuery{{Metric: aws.String("db.load.avg"), GroupBy: &pitypes.DimensionGroup{Group: aws.String("db.wait_event"), Limit: aws.Int32(maxWaits)}}},
	})
	c.record(diagnose.Database, what, err, func() {
		c.cloud.CPUs = map[string]int{instance: vcpus(aws.ToString(db.DBInstanceClass))}
		for _, m := range metrics.MetricList {
			if m.Key == nil || m.Key.Dimensions["db.wait_event.name"] == "" {
				continue // this series is the total
			}
			sum, count := 0., 0.
			for _, point := range m.DataPoints {
				if point.Value != nil {
					sum, count = sum+*point.Value, count+1
				}
			}
			if count > 0 {
				c.cloud.Waits = append(c.cloud.Waits, diagnose.Wait{Database: instance, Name: m.Key.Dimensions["db.wait_event.name"], Load: sum / count, ResourceID: aws.ToString(db.DbiResourceId)})
			}
		}
	})
}

// vcpus returns the number of vCPUs of an RDS instance class such as db.r6g.2xlarge: 2 up to large,
// 4 for each xlarge (RDS User Guide, "DB instance classes"). It returns 0 for an unknown class.
func vcpus(class string) int {
	parts := strings.Split(class, ".")
	if len(parts) != 3 {
		return 0
	}
	switch size := parts[2]; size {
	case "micro", "small", "medium", "large":
		return 2
	case "xlarge":
		return 4
	default:
		n, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge"))
		if err != nil || n < 2 || n > 48 {
			return 0
		}
		return 4 * n
	}
}
