// Package cloudview reads the state of a stack from AWS for `pf diagnose`. It reads the
// targets of the load balancer, and the scaling activities and instance refreshes of the
// tiers' groups. It also reads events and top waits of PostgreSQL, and events and slow
// operations of DocumentDB. It is the only package of ops that links the AWS SDK's services.
// It changes nothing, and uses the caller's own credentials.
//
// No call was tested against AWS. Tests replace each call by a fake of the SDK's types.
package cloudview

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/pi"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/ops/diagnose"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

// timeout limits the time of all calls together, so that a diagnosis takes at most 5 s.
const timeout = 4 * time.Second

// The calls of AWS that this package needs, as interfaces with the SDK's methods.
type (
	groupAPI interface {
		DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
		DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error)
		DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	}
	targetAPI interface {
		DescribeTargetHealth(context.Context, *elasticloadbalancingv2.DescribeTargetHealthInput, ...func(*elasticloadbalancingv2.Options)) (*elasticloadbalancingv2.DescribeTargetHealthOutput, error)
	}
	databaseAPI interface {
		DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
		DescribeEvents(context.Context, *rds.DescribeEventsInput, ...func(*rds.Options)) (*rds.DescribeEventsOutput, error)
	}
	logAPI interface {
		FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
	}
	insightsAPI interface {
		GetResourceMetrics(context.Context, *pi.GetResourceMetricsInput, ...func(*pi.Options)) (*pi.GetResourceMetricsOutput, error)
	}
)

// collector collects what AWS returns for one stack. Its methods may run concurrently.
type collector struct {
	groups    groupAPI
	targets   targetAPI
	databases databaseAPI
	insights  insightsAPI
	logs      logAPI

	now time.Time

	mu      sync.Mutex
	cloud   diagnose.Cloud
	missing []diagnose.Missing
	absent  []diagnose.Absent
}

// Read reads the state of a stack on EKS from AWS. For another stack it sends nothing, and reports
// AWS as absent.
func Read(ctx context.Context, stack stackoutput.Outputs) (diagnose.Cloud, []diagnose.Missing, []diagnose.Absent) {
	region, err := parseEKSRegion(stack.KubeconfigContent())
	if err != nil {
		return diagnose.Cloud{}, nil, forEachCheck(func(check diagnose.Check) diagnose.Absent {
			return diagnose.Absent{Check: check, What: "AWS", Why: err.Error()}
		})
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithRetryMaxAttempts(2))
	if err != nil {
		return diagnose.Cloud{}, forEachCheck(func(check diagnose.Check) diagnose.Missing {
			return diagnose.Missing{Check: check, What: "AWS", Reason: err.Error()}
		}), nil
	}
	c := &collector{
		groups: autoscaling.NewFromConfig(cfg), targets: elasticloadbalancingv2.NewFromConfig(cfg),
		databases: rds.NewFromConfig(cfg), insights: pi.NewFromConfig(cfg), logs: cloudwatchlogs.NewFromConfig(cfg), now: time.Now(),
	}
	return c.read(ctx, stack)
}

// forEachCheck calls newItem for each check that uses AWS, and returns the items.
func forEachCheck[T any](newItem func(diagnose.Check) T) []T {
	return []T{newItem(diagnose.App), newItem(diagnose.Database), newItem(diagnose.Scaling)}
}

// parseEKSRegion returns the region of an EKS cluster, from the host of its API server, such as
// https://ID.gr7.us-east-1.eks.amazonaws.com.
func parseEKSRegion(kubeconfig []byte) (string, error) {
	restConfig, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return "", fmt.Errorf("the stack's kubeconfig is missing or invalid: %w", err)
	}
	server, err := url.Parse(restConfig.Host)
	if err != nil {
		return "", err
	}
	prefix, isEKS := strings.CutSuffix(strings.TrimSuffix(server.Hostname(), ".cn"), ".eks.amazonaws.com")
	if !isEKS {
		return "", fmt.Errorf("the API server %s is not EKS's", server.Host)
	}
	return prefix[strings.LastIndex(prefix, ".")+1:], nil
}

// read sends all requests to AWS concurrently.
func (c *collector) read(ctx context.Context, stack stackoutput.Outputs) (diagnose.Cloud, []diagnose.Missing, []diagnose.Absent) {
	var wg sync.WaitGroup
	groups := slices.Sorted(maps.Values(stack.AutoScalingGroups))
	if len(groups) > 0 {
		wg.Go(func() { c.readTargets(ctx, groups) })
	}
	for _, group := range groups {
		wg.Go(func() { c.readActivities(ctx, group) })
		wg.Go(func() { c.readRefreshes(ctx, group) })
	}
	instance, _, found := strings.Cut(stack.Postgres.Host, ".")
	switch {
	case stack.Postgres.SecretARN != "" && found && instance != "":
		wg.Go(func() { c.readEvents(ctx, instance, rdstypes.SourceTypeDbInstance) })
		wg.Go(func() { c.readWaits(ctx, instance) })
	default:
		c.absent = append(c.absent, diagnose.Absent{Check: diagnose.Database, What: "RDS", Why: "PostgreSQL runs in the cluster"})
	}
	if stack.Mongo.IsDocumentDB() {
		cluster, _, _ := strings.Cut(stack.Mongo.Host, ".")
		wg.Go(func() { c.readEvents(ctx, cluster, rdstypes.SourceTypeDbCluster) })
		wg.Go(func() { c.readOperations(ctx, cluster) })
	}
	wg.Wait()
	return c.cloud, c.missing, c.absent
}

// record calls save if err is nil. Otherwise it adds what to the missing items, with the error as
// the reason.
func (c *collector) record(check diagnose.Check, what string, err error, save func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.missing = append(c.missing, diagnose.Missing{Check: check, What: what, Reason: describeError(err)})
		return
	}
	save()
}

// describeError returns a text for an error: no permission, another error of AWS, or no readable
// response.
func describeError(err error) string {
	var apiError smithy.APIError
	if errors.As(err, &apiError) {
		if strings.Contains(apiError.ErrorCode(), "AccessDenied") || strings.Contains(apiError.ErrorCode(), "Unauthorized") {
			return "no permission: " + apiError.ErrorMessage()
		}
		return apiError.ErrorCode() + ": " + apiError.ErrorMessage()
	}
	return "not readable: " + err.Error()
}
