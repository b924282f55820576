package prometheus

import (
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/scaling"
)

// access returns the connections that the network policy allows: from the readers, and to the
// targets of package scrape.
func (a *Args) access() podnetwork.Access {
	own := podnetwork.App(app)
	var metrics []podnetwork.Peer
	for _, service := range a.Services {
		metrics = append(metrics, podnetwork.AppIn(a.Platform.Name, service.Name))
	}
	for _, store := range a.Stores {
		metrics = append(metrics, podnetwork.AppIn(a.Platform.Name, store))
	}
	if a.Database {
		metrics = append(metrics, podnetwork.AppIn(a.Platform.Name, scrape.DatabaseApp))
	}
	if a.Forecaster {
		metrics = append(metrics, podnetwork.App(scrape.ForecasterApp))
	}
	egress := append(a.Cluster.API(),
		a.Cluster.Kubelets(),
		podnetwork.To(scaling.MetricsPort, append(metrics, own)...),
		podnetwork.To(scrape.StatePort, podnetwork.App(scrape.StateApp)),
	)
	if a.Workspace != nil {
		egress = append(egress, podnetwork.APIs()[1:]...) // without the rule for DNS, which Cluster.API already has
	}
	return podnetwork.Access{
		Ingress: []podnetwork.Rule{podnetwork.To(Port, append([]podnetwork.Peer{own}, a.Readers...)...)},
		Egress:  append(egress, a.Targets...),
	}
}
