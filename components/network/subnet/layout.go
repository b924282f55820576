package subnet

// NATLayout selects the zones that have a NAT gateway in their public subnet.
type NATLayout string

// The layouts of NAT gateways.
const (
	// NATPerZone is one gateway in every zone. The loss of a zone does not cut
	// other zones off from the internet, and traffic stays in its zone.
	NATPerZone NATLayout = "perZone"
	// NATSingle is one gateway in one zone. It is cheaper, but the loss of that zone
	// cuts all zones off from the internet.
	NATSingle NATLayout = "single"
)

// Values lists the layouts.
func (NATLayout) Values() []string { return []string{string(NATPerZone), string(NATSingle)} }

// EndpointLayout selects the zones that have interface endpoints in their private-app
// subnet. AWS charges for each endpoint and zone by the hour.
type EndpointLayout string

// The layouts of interface endpoints.
const (
	// EndpointsPerZone is every endpoint in every zone.
	EndpointsPerZone EndpointLayout = "perZone"
	// EndpointsSingle is every endpoint in one zone. The loss of that zone cuts all
	// zones off from AWS's services.
	EndpointsSingle EndpointLayout = "single"
	// EndpointsNone means that there are no interface endpoints. Requests to AWS's
	// services use NAT.
	EndpointsNone EndpointLayout = "none"
)

// Values lists the layouts.
func (EndpointLayout) Values() []string {
	return []string{string(EndpointsPerZone), string(EndpointsSingle), string(EndpointsNone)}
}
