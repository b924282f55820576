package cloudview

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/pi"
	pitypes "github.com/aws/aws-sdk-go-v2/service/pi/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/ops/diagnose"
	"github.com/progressive-framework/platform/ops/stackoutput"
)

var now = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

const arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/prod-web/0123"

// fakeAWS responds to each call. It returns the error in errs for a call with that name.
type fakeAWS struct {
	errs map[string]error
	// insightsEnabled means that the database has Performance Insights.
	insightsEnabled bool
	// line is the profiler's only log line on each page. pages is the number of pages.
	line  string
	pages int
}

func (f fakeAWS) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	if aws.ToString(in.LogGroupName) != "/aws/docdb/prod-mongo/profiler" || aws.ToString(in.FilterPattern) != "{ $.millis > 100 }" || aws.ToInt64(in.EndTime)-aws.ToInt64(in.StartTime) != 600_000 {
		return nil, errors.New("another log, filter or period")
	}
	page, _ := strconv.Atoi(aws.ToString(in.NextToken))
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []logtypes.FilteredLogEvent{{Message: aws.String(f.line), Timestamp: aws.Int64(now.UnixMilli())}}}
	if page++; page < f.pages {
		out.NextToken = aws.String(strconv.Itoa(page))
	}
	return out, f.errs["logs"]
}

func (f fakeAWS) DescribeAutoScalingGroups(_ context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	var out autoscaling.DescribeAutoScalingGroupsOutput
	for range in.AutoScalingGroupNames { // two groups have the same target group
		out.AutoScalingGroups = append(out.AutoScalingGroups, astypes.AutoScalingGroup{TargetGroupARNs: []string{arn}})
	}
	return &out, f.errs["groups"]
}

func (f fakeAWS) DescribeScalingActivities(_ context.Context, in *autoscaling.DescribeScalingActivitiesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	return &autoscaling.DescribeScalingActivitiesOutput{Activities: []astypes.Activity{{
		AutoScalingGroupName: in.AutoScalingGroupName, StatusCode: astypes.ScalingActivityStatusCodeFailed, Description: aws.String("Launching"), StatusMessage: aws.String("no capacity"), StartTime: aws.Time(now),
	}}}, f.errs["activities"]
}

func (f fakeAWS) DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	return &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: []astypes.InstanceRefresh{{InstanceRefreshId: aws.String("r"), Status: astypes.InstanceRefreshStatusInProgress, PercentageComplete: aws.Int32(40)}}}, f.errs["refreshes"]
}

func (f fakeAWS) DescribeTargetHealth(_ context.Context, in *elasticloadbalancingv2.DescribeTargetHealthInput, _ ...func(*elasticloadbalancingv2.Options)) (*elasticloadbalancingv2.DescribeTargetHealthOutput, error) {
	if aws.ToString(in.TargetGroupArn) != arn {
		return nil, errors.New("another target group")
	}
	return &elasticloadbalancingv2.DescribeTargetHealthOutput{TargetHealthDescriptions: []elbtypes.TargetHealthDescription{{
		Target: &elbtypes.TargetDescription{Id: aws.String("i-1")}, TargetHealth: &elbtypes.TargetHealth{State: elbtypes.TargetHealthStateEnumUnhealthy, Reason: elbtypes.TargetHealthReasonEnumTimeout},
	}}}, f.errs["targets"]
}

func (f fakeAWS) DescribeDBInstances(_ context.Context, in *rds.DescribeDBInstancesInput, _ ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error) {
	return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{{
		DBInstanceIdentifier: in.DBInstanceIdentifier, DbiResourceId: aws.String("db-X"), DBInstanceClass: aws.String("db.r6g.xlarge"), PerformanceInsightsEnabled: aws.Bool(f.insightsEnabled),
	}}}, f.errs["instances"]
}

func (f fakeAWS) DescribeEvents(_ context.Context, in *rds.DescribeEventsInput, _ ...func(*rds.Options)) (*rds.DescribeEventsOutput, error) {
	return &rds.DescribeEventsOutput{Events: []rdstypes.Event{{SourceIdentifier: in.SourceIdentifier, Message: aws.String("failover started"), EventCategories: []string{"failover"}, Date: aws.Time(now)}}}, f.errs["events"]
}

func (f fakeAWS) GetResourceMetrics(_ context.Context, in *pi.GetResourceMetricsInput, _ ...func(*pi.Options)) (*pi.GetResourceMetricsOutput, error) {
	if aws.ToString(in.Identifier) != "db-X" {
		return nil, errors.New("another database")
	}
	point := func(load float64) pitypes.DataPoint { return pitypes.DataPoint{Value: aws.Float64(load)} }
	return &pi.GetResourceMetricsOutput{MetricList: []pitypes.MetricKeyDataPoints{
		{Key: &pitypes.ResponseResourceMetricKey{Metric: aws.String("db.load.avg")}, DataPoints: []pitypes.DataPoint{point(9)}},
		{Key: &pitypes.ResponseResourceMetricKey{Metric: aws.String("db.load.avg"), Dimensions: map[string]string{"db.wait_event.name": "CPU"}}, DataPoints: []pitypes.DataPoint{point(2), {}, point(4)}},
	}}, f.errs["waits"]
}

var testStack = stackoutput.Outputs{
	AutoScalingGroups: map[string]string{"web": "prod-web", "application": "prod-application"},
	Postgres:          stackoutput.Store{Host: "prod-postgres.abc.us-east-1.rds.amazonaws.com", SecretARN: "arn:aws:secretsmanager:x"},
}

// readFake reads a stack from fake responses.
func readFake(f fakeAWS, stack stackoutput.Outputs) (diagnose.Cloud, []diagnose.Missing, []diagnose.Absent) {
	c := &collector{groups: f, targets: f, databases: f, insights: f, logs: f, now: now}
	return c.read(context.Background(), stack)
}

func TestEveryResponseIsRead(t *testing.T) {
	cloud, missing, absent := readFake(fakeAWS{insightsEnabled: true}, testStack)
	require.Empty(t, missing)
	require.Empty(t, absent)
	require.Equal(t, []diagnose.Target{{Group: "prod-web", ID: "i-1", State: "unhealthy", Reason: "Target.Timeout", GroupARN: arn}}, cloud.Targets, "once")
	require.Len(t, cloud.Activities, 2)
	require.Contains(t, cloud.Activities, diagnose.Activity{Group: "prod-web", Status: "Failed", Description: "Launching", Message: "no capacity", Started: now})
	require.Len(t, cloud.Refreshes, 2)
	require.Equal(t, []diagnose.Event{{Source: "prod-postgres", Message: "failover started", Categories: []string{"failover"}, At: now}}, cloud.Events)
	require.Equal(t, []diagnose.Wait{{Database: "prod-postgres", Name: "CPU", Load: 3, ResourceID: "db-X"}}, cloud.Waits)
	require.Equal(t, map[string]int{"prod-postgres": 4}, cloud.CPUs)
}

// withMongo returns testStack with a document store at host.
func withMongo(host string) stackoutput.Outputs {
	outputs := testStack
	outputs.Mongo = stackoutput.Store{Host: host, SecretARN: "arn:aws:secretsmanager:y"}
	return outputs
}

const (
	documentDBHost = "prod-mongo.cluster-abc.us-east-1.docdb.amazonaws.com"
	slowLine       = `{"op":"query","ts":1769860800000,"ns":"app.sessions","command":{"find":"sessions","filter":{"name":"private"}},"millis":350,"planSummary":"COLLSCAN","user":"platform"}`
)

func TestDocumentDBIsRead(t *testing.T) {
	cloud, missing, _ := readFake(fakeAWS{insightsEnabled: true, line: slowLine, pages: 2}, withMongo(documentDBHost))
	require.Empty(t, missing)
	require.Contains(t, cloud.Events, diagnose.Event{Source: "prod-mongo", Message: "failover started", Categories: []string{"failover"}, At: now})
	slow := diagnose.Operation{Cluster: "prod-mongo", Operation: "query", Collection: "app.sessions", Plan: "COLLSCAN", Duration: 350 * time.Millisecond, At: time.UnixMilli(now.UnixMilli())}
	require.Equal(t, []diagnose.Operation{slow, slow}, cloud.Operations, "of both pages")
}

func TestUnreadableLogsOfDocumentDBAreReported(t *testing.T) {
	for _, tc := range []struct {
		fake   fakeAWS
		what   string
		reason string
	}{
		{fakeAWS{line: "hello"}, "slow operations of prod-mongo", "not readable: a line of its log is not the profiler's JSON: "},
		{fakeAWS{line: slowLine, pages: 99}, "further slow operations of prod-mongo", "not readable: the log has more than the 10 pages that are read"},
		{fakeAWS{errs: map[string]error{"logs": &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}}}, "slow operations of prod-mongo", "no permission: no"},
	} {
		_, missing, _ := readFake(tc.fake, withMongo(documentDBHost))
		require.Len(t, missing, 1)
		require.Equal(t, tc.what, missing[0].What)
		require.Contains(t, missing[0].Reason, tc.reason)
	}
}

// AWS would refuse each call for a MongoDB that it does not run.
func TestNothingIsSentForAMongoDBOutsideAWS(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "DBClusterNotFoundFault"}
	for _, host := range []string{"mongo.example.com", "docdb.amazonaws.com.example.com"} {
		outputs := withMongo(host)
		outputs.Postgres = stackoutput.Store{}
		cloud, missing, _ := readFake(fakeAWS{errs: map[string]error{"events": denied, "logs": denied}}, outputs)
		require.Empty(t, missing)
		require.Empty(t, cloud.Events)
	}
}

// If AWS refuses one call, the error is reported and the other responses are still read.
func TestEachRefusalIsReported(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform this"}
	for call, want := range map[string]struct {
		check diagnose.Check
		what  string
	}{
		"groups": {diagnose.App, "target health"}, "targets": {diagnose.App, "target health of prod-web"},
		"activities": {diagnose.Scaling, "scaling activities of prod-web"}, "refreshes": {diagnose.Scaling, "instance refreshes of prod-web"},
		"events": {diagnose.Database, "events of prod-postgres"}, "instances": {diagnose.Database, "top waits of prod-postgres"}, "waits": {diagnose.Database, "top waits of prod-postgres"},
	} {
		t.Run(call, func(t *testing.T) {
			_, missing, _ := readFake(fakeAWS{insightsEnabled: true, errs: map[string]error{call: denied}}, testStack)
			require.Contains(t, missing, diagnose.Missing{Check: want.check, What: want.what, Reason: "no permission: not authorized to perform this"})
		})
	}
	require.Equal(t, "Throttling: slow down", describeError(&smithy.GenericAPIError{Code: "Throttling", Message: "slow down"}))
	require.Equal(t, "not readable: no route", describeError(errors.New("no route")))
}

func TestAbsentItemsAreReported(t *testing.T) {
	_, missing, absent := readFake(fakeAWS{}, testStack)
	require.Empty(t, missing)
	require.Equal(t, []diagnose.Absent{{Check: diagnose.Database, What: "top waits of prod-postgres", Why: "Performance Insights is off"}}, absent)
	_, _, absent = readFake(fakeAWS{}, stackoutput.Outputs{Postgres: stackoutput.Store{Host: "postgres", SecretName: "postgres-auth"}})
	require.Equal(t, []diagnose.Absent{{Check: diagnose.Database, What: "RDS", Why: "PostgreSQL runs in the cluster"}}, absent)
}

// For a sandbox stack, nothing is sent to AWS.
func TestOnlyStacksOnEKSAreRead(t *testing.T) {
	kubeconfig := func(server string) []byte {
		return []byte(`{"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"c","cluster":{"server":"` + server + `"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"users":[{"name":"u","user":{}}]}`)
	}
	region, err := parseEKSRegion(kubeconfig("https://0123ABCD.gr7.eu-central-1.eks.amazonaws.com"))
	require.NoError(t, err)
	require.Equal(t, "eu-central-1", region)
	_, err = parseEKSRegion(kubeconfig("https://127.0.0.1:6443"))
	require.ErrorContains(t, err, "the API server 127.0.0.1:6443 is not EKS's")
	_, missing, absent := Read(context.Background(), stackoutput.Outputs{Kubeconfig: kubeconfig("https://127.0.0.1:6443")})
	require.Empty(t, missing)
	require.Len(t, absent, 3)
}

func TestInstanceClassesHaveTheirVCPUs(t *testing.T) {
	for class, want := range map[string]int{"db.t4g.micro": 2, "db.r6g.large": 2, "db.r6g.xlarge": 4, "db.r6g.16xlarge": 64, "db.serverless": 0, "db.x.metal": 0, "": 0} {
		require.Equal(t, want, vcpus(class), class)
	}
}
