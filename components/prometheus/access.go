package prometheus

import (
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/scaling"
)

// access returns the connections that the network policy of Prometheus' pods allows: from the
// readers, and to the targets of package scrape.
func (a *Args) access() podnetwork.Access {
	prometheusPods := podnetwork.App(app)
	var scrapedPods []podnetwork.Peer
	for _, service := range a.Services {
		scrapedPods = append(scrapedPods, podnetwork.AppIn(a.Platform.Name, service.Name))
	}
	for _, store := range a.Stores {
		scrapedPods = append(scrapedPods, podnetwork.AppIn(a.Platform.Name, store))
	}
	if a.PGExporter {
		scrapedPods = append(scrapedPods, podnetwork.AppIn(a.Platform.Name, scrape.DatabaseApp))
	}
	if a.Forecaster {
		scrapedPods = append(scrapedPods, podnetwork.App(scrape.ForecasterApp))
	}
	egress := append(a.Cluster.APIServerEgress(),
		a.Cluster.KubeletEgress(),
		podnetwork.TCPRule(scaling.MetricsPort, append(scrapedPods, prometheusPods)...),
		podnetwork.TCPRule(scrape.KubeStateMetricsPort, podnetwork.App(scrape.KubeStateMetricsApp)),
	)
	if a.Workspace != nil {
		egress = append(egress, podnetwork.AWSAndAPIServerEgress()[1:]...) // without the rule for DNS, which Cluster.APIServerEgress already has
	}
	return podnetwork.Access{
		Ingress: []podnetwork.Rule{podnetwork.TCPRule(Port, append([]podnetwork.Peer{prometheusPods}, a.Readers...)...)},
		Egress:  append(egress, a.Targets...),
	}
}
