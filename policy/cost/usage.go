package cost

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// UsageItem is a charge that depends on the load. A report counts the charge only if the
// stack's configuration has an estimate for it.
type UsageItem struct {
	// Estimate is the name in the configuration, with its unit.
	Estimate string
	SKU      string
	// Component is the component under which a report shows the charge.
	Component string
	// What describes the charge in NotCounted.
	What string
}

// usageItems are the charges by usage that have a row in the price table.
var usageItems = []UsageItem{
	{"endpointGB", "vpc-endpoint:data", "network", "data through VPC endpoints"},
	{"loadBalancerLCUHours", "load-balancer:lcu", "loadbalancer", "load balancer capacity units (LCU)"},
	{"logsGB", "cloudwatch:logs", "stack", "ingested logs, among them flow logs, container logs and enhanced monitoring"},
	{"mongoMillionRequests", "docdb:io", "mongo", "I/O of DocumentDB"},
	{"mongoStorageGB", "docdb:storage", "mongo", "storage of DocumentDB"},
	{"natGB", "nat-gateway:data", "network", "data through NAT gateways"},
	{"webAclMillionRequests", "wafv2:requests", "webacl", "requests that the web ACL inspects"},
}

// neverCounted are the charges that a report never counts, because no estimate exists for them.
var neverCounted = []string{
	"data transfer to the internet and between zones",
	"CloudFront's traffic and requests",
	"storage and requests of S3, ECR and SQS; stored logs",
	"backups and snapshots beyond what is included",
	"requests to KMS and Secrets Manager; earlier versions of rotated keys",
	"CPU credits of burstable instances",
	"growth of the database's storage up to maxAllocatedStorage",
	"Kubernetes nodes that the groups do not start, such as those during an instance refresh",
	"discounts: spot, savings plans, reserved instances, the free tier",
	"support plans and tax",
}

// UsageItems returns the charges that a configuration can estimate.
func UsageItems() []UsageItem { return slices.Clone(usageItems) }

// EstimateNames returns the names of the estimates that a configuration can have, such as natGB.
func EstimateNames() []string {
	var names []string
	for _, u := range usageItems {
		names = append(names, u.Estimate)
	}
	return names
}

// EstimateProblems returns what is wrong with the estimates of a configuration.
func EstimateProblems(estimates map[string]int64) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(estimates)) {
		if !slices.Contains(EstimateNames(), name) {
			problems = append(problems, fmt.Sprintf("estimates.%s: there is no such estimate; must be one of %v", name, EstimateNames()))
		} else if v := estimates[name]; v < 0 || v > maxEstimate {
			problems = append(problems, fmt.Sprintf("estimates.%s: %d must be 0 to %d", name, v, int64(maxEstimate)))
		}
	}
	return problems
}

// maxEstimate bounds an estimate, so that no amount overflows.
const maxEstimate = 1_000_000_000

// addUsage adds the estimated usage. It returns the charges that the report does not count.
func (e *estimator) addUsage(estimates map[string]int64) []string {
	var notCounted []string
	for _, u := range usageItems {
		quantity, estimated := estimates[u.Estimate]
		if !estimated || quantity < 0 || quantity > maxEstimate {
			notCounted = append(notCounted, u.What+" (estimate: "+u.Estimate+")")
			continue
		}
		p, ok := e.prices[u.SKU]
		if !ok {
			e.report.Unpriced = append(e.report.Unpriced, Gap{Component: u.Component, SKU: u.SKU, Reason: noRow})
			continue
		}
		amount := p.Amount * Micros(quantity)
		e.report.Lines = append(e.report.Lines, Line{
			Component: u.Component, SKU: u.SKU, Kind: Usage, Quantity: Quantity{quantity, quantity, quantity}, Unit: p.Unit,
			Price: p.Amount, AsOf: p.AsOf.Format(time.DateOnly), Stale: p.IsStale(e.now), Monthly: Range{amount, amount, amount},
		})
	}
	return append(notCounted, neverCounted...)
}
