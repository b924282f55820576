package diagnose

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/progressive-framework/platform/ops/stackoutput"
)

// databaseFindings judges PostgreSQL and Redis.
func databaseFindings(o objects, m metrics) (findings []Finding, figures []Figure) {
	findings, figures = postgresFindings(o, m)
	found, measured := redisFindings(o, m)
	for i := range found {
		found[i].Check = Database
	}
	return append(findings, found...), append(figures, measured...)
}

// absentStores returns the stores that the stack does not have, and the stores without metrics in the
// cluster.
func absentStores(stack stackoutput.Outputs, o objects) (absent []Absent) {
	hasPod := func(app string) bool {
		return slices.ContainsFunc(o.pods, func(p corev1.Pod) bool { return p.Labels["app"] == app })
	}
	add := func(what, why string) { absent = append(absent, Absent{Database, what, why}) }
	if o.podsRead && !hasPod(exporterApp) {
		add("statistics of PostgreSQL", "no pod "+exporterApp+": podScaling is off, or the stack has no PostgreSQL")
	}
	if o.podsRead && !hasPod(redisApp) {
		why := "the stack has no Redis"
		if stack.Redis.Host != "" {
			why = "Redis is ElastiCache: the alarms of CloudWatch watch its nodes (docs/aws.md)"
		}
		add("nodes of Redis", why)
	}
	switch {
	case stack.Mongo.Host == "":
		add("MongoDB", "the stack has no document store")
	case !stack.Mongo.IsDocumentDB(): // package cloudview reads DocumentDB
		add("MongoDB", "a MongoDB of your own: nothing reads it")
	}
	return absent
}
