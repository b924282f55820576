package subnet

// NATLayout is in which zones' public subnets NAT gateways are.
type NATLayout string

// The layouts of NAT gateways.
const (
	// NATPerZone is one gateway in every zone: the loss of a zone cuts no other
	// zone off from the internet, and no traffic crosses zones.
	NATPerZone NATLayout = "perZone"
	// NATSingle is one gateway in the first zone by name. It is cheaper.
	NATSingle NATLayout = "single"
)

// Values lists the layouts.
func (NATLayout) Values() []string { return []string{string(NATPerZone), string(NATSingle)} }

// EndpointLayout is in which zones' private-app subnets the interface endpoints
// are. AWS charges for each endpoint and zone by the hour.
type EndpointLayout string

// The layouts of interface endpoints.
const (
	// EndpointsPerZone is every endpoint in every zone.
	EndpointsPerZone EndpointLayout = "perZone"
	// EndpointsSingle is every endpoint in the first zone by name, for stacks
	// that may lose AWS's services with that zone.
	EndpointsSingle EndpointLayout = "single"
	// EndpointsNone is no endpoint: AWS's services are reached through NAT.
	EndpointsNone EndpointLayout = "none"
)

// Values lists the layouts.
func (EndpointLayout) Values() []string {
	return []string{string(EndpointsPerZone), string(EndpointsSingle), string(EndpointsNone)}
}
