// Package cloudview reads what AWS says about a stack for `pf diagnose`: targets of the load
// balancer, scaling activities and instance refreshes of the tiers' groups, events and top
// waits of PostgreSQL, and events and slow operations of DocumentDB. It is the only package
// of ops that links the AWS SDK's services. It changes nothing, and uses the caller's own
// credentials.
//
// Nothing of it was tried on AWS. Tests replace each call by a fake of the SDK's types.
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

// timeout limits all calls together, so that a diagnosis takes at most 5 s.
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

// view collects what AWS returns for one stack.
type view struct {
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

// Read reads a stack whose API server belongs to EKS. For another stack it sends nothing and
// reports AWS as absent.
func Read(ctx context.Context, stack stackoutput.Outputs) (diagnose.Cloud, []diagnose.Missing, []diagnose.Absent) {
	region, err := eksRegion(stack.KubeconfigFile())
	if err != nil {
		return diagnose.Cloud{}, nil, everyCheck(func(c diagnose.Check) diagnose.Absent {
			return diagnose.Absent{Check: c, What: "AWS", Why: err.Error()}
		})
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithRetryMaxAttempts(2))
	if err != nil {
		return diagnose.Cloud{}, everyCheck(func(c diagnose.Check) diagnose.Missing {
			return diagnose.Missing{Check: c, What: "AWS", Reason: err.Error()}
		}), nil
	}
	v := &view{
		groups: autoscaling.NewFromConfig(cfg), targets: elasticloadbalancingv2.NewFromConfig(cfg),
		databases: rds.NewFromConfig(cfg), insights: pi.NewFromConfig(cfg), logs: cloudwatchlogs.NewFromConfig(cfg), now: time.Now(),
	}
	return v.read(ctx, stack)
}

func everyCheck[T any](item func(diagnose.Check) T) []T {
	return []T{item(diagnose.App), item(diagnose.Database), item(diagnose.Scaling)}
}

// eksRegion returns the region of an EKS cluster, from the host of its API server, such as
// https://ID.gr7.us-east-1.eks.amazonaws.com.
func eksRegion(kubeconfig []byte) (string, error) {
	rest, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return "", fmt.Errorf("the stack has no kubeconfig: %w", err)
	}
	server, err := url.Parse(rest.Host)
	if err != nil {
		return "", err
	}
	name, isEKS := strings.CutSuffix(strings.TrimSuffix(server.Hostname(), ".cn"), ".eks.amazonaws.com")
	if !isEKS {
		return "", fmt.Errorf("the API server %s is not EKS's", server.Host)
	}
	return name[strings.LastIndex(name, ".")+1:], nil
}

// read makes all calls concurrently.
func (v *view) read(ctx context.Context, stack stackoutput.Outputs) (diagnose.Cloud, []diagnose.Missing, []diagnose.Absent) {
	var wg sync.WaitGroup
	groups := slices.Sorted(maps.Values(stack.AutoScalingGroups))
	if len(groups) > 0 {
		wg.Go(func() { v.readTargets(ctx, groups) })
	}
	for _, group := range groups {
		wg.Go(func() { v.readActivities(ctx, group) })
		wg.Go(func() { v.readRefreshes(ctx, group) })
	}
	instance, _, found := strings.Cut(stack.Postgres.Host, ".")
	switch {
	case stack.Postgres.SecretARN != "" && found && instance != "":
		wg.Go(func() { v.readEvents(ctx, instance, rdstypes.SourceTypeDbInstance) })
		wg.Go(func() { v.readWaits(ctx, instance) })
	default:
		v.absent = append(v.absent, diagnose.Absent{Check: diagnose.Database, What: "RDS", Why: "PostgreSQL runs in the cluster"})
	}
	if stack.Mongo.IsDocumentDB() {
		cluster, _, _ := strings.Cut(stack.Mongo.Host, ".")
		wg.Go(func() { v.readEvents(ctx, cluster, rdstypes.SourceTypeDbCluster) })
		wg.Go(func() { v.readOperations(ctx, cluster) })
	}
	wg.Wait()
	return v.cloud, v.missing, v.absent
}

// store calls keep if err is nil. Otherwise it records what as missing, with the error as the reason.
func (v *view) store(check diagnose.Check, what string, err error, keep func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.missing = append(v.missing, diagnose.Missing{Check: check, What: what, Reason: reason(err)})
		return
	}
	keep()
}

// reason explains an error: no permission, or another reason.
func reason(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		if strings.Contains(answer.ErrorCode(), "AccessDenied") || strings.Contains(answer.ErrorCode(), "Unauthorized") {
			return "no permission: " + answer.ErrorMessage()
		}
		return answer.ErrorCode() + ": " + answer.ErrorMessage()
	}
	return "not readable: " + err.Error()
}
