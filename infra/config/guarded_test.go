package config

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/changeguard/changerule"
)

// supportedZoneIDs has the IDs of the zones by name. EKS has control planes in all of them.
var supportedZoneIDs = map[string]string{"0": "use1-az6", "a": "use1-az1", "b": "use1-az2", "c": "use1-az4"}

// guardedFields returns the fields of all guards.
func guardedFields(s *Stack) []map[string]changerule.Field {
	placementFields, err := s.PlacementFields(s.Network.Zones, supportedZoneIDs)
	if err != nil {
		panic(err)
	}
	return []map[string]changerule.Field{s.FixedFields(), placementFields, s.AppliedFields()}
}

// recordedValues returns the values that the guards record when a stack is created.
func recordedValues(s *Stack) map[string]string {
	values := map[string]string{}
	for _, fields := range guardedFields(s) {
		for id, f := range fields {
			values[id] = f.Value
		}
	}
	return values
}

// acceptChange returns the recorded values after a change of the stack, or the first error of a
// guard.
func acceptChange(s *Stack, before map[string]string) (map[string]string, error) {
	after := maps.Clone(before)
	for _, fields := range guardedFields(s) {
		for id, f := range fields {
			recorded, ok := before[id]
			if !ok {
				after[id] = f.Value
				continue
			}
			value, err := f.Accept(recorded)
			if err != nil {
				return nil, err
			}
			after[id] = value
		}
	}
	return after, nil
}

// existingStack returns the configuration of a stack in three zones, which the tests change.
func existingStack() Stack {
	s := defaults()
	s.Region, s.Environment = "us-east-1", "staging"
	s.Network.CIDR, s.Network.Zones = "10.20.0.0/16", []string{"b", "a", "c"}
	s.Network.NATGateways = "single"
	s.Postgres.InstanceClass, s.Redis.NodeType, s.Mongo.InstanceClass = "db.r7g.xlarge", "cache.r7g.large", "db.r6g.large"
	s.Mongo.Kind = MongoManaged
	s.Edge.Domain = "example.com"
	s.Cluster.Version = "1.34" // newer and older versions are known
	return s
}

func TestGuardsAcceptOrRefuseChangesOfAnExistingStack(t *testing.T) {
	const refused = "refused"
	zonesAreSet := map[string]bool{path("cluster.zones").String(): true}
	for _, tc := range []struct {
		reason, id, want string // want: what the field has afterwards
		change           func(*Stack)
	}{
		{"another block", "network.cidr", refused, func(s *Stack) { s.Network.CIDR = "10.40.0.0/16" }},
		{"another region", "aws:region", refused, func(s *Stack) { s.Region = "eu-west-1" }},
		{"another environment", "environment", refused, func(s *Stack) { s.Environment = "prod" }},
		{"zones in another order", ControlPlaneZones, "a, b", func(s *Stack) { s.Network.Zones = []string{"c", "b", "a"} }},
		{"a zone that sorts first joins", NATZone, "a", func(s *Stack) {
			s.Network.Zones = []string{"0", "a", "b", "c"}
		}},
		{"the zone of the control plane leaves", ControlPlaneZones, refused, func(s *Stack) {
			s.Network.Zones = []string{"b", "c"}
		}},
		{"a zone without control plane and NAT gateway leaves", ControlPlaneZones, "a, b", func(s *Stack) { s.Network.Zones = []string{"a", "b"} }},
		{"the stack names the zones that it has", ControlPlaneZones, "a, b", func(s *Stack) { s.Cluster.Zones, s.setKeys = []string{"b", "a"}, zonesAreSet }},
		{"the stack names other zones", ControlPlaneZones, refused, func(s *Stack) { s.Cluster.Zones, s.setKeys = []string{"b", "c"}, zonesAreSet }},
		{"with a gateway in each zone, the zone of the first gateway stays recorded", NATZone, "a", func(s *Stack) { s.Network.NATGateways = "perZone" }},
		{"another version of the control plane leaves the nodes alone", nodeImageFieldID("web"), "1.34-20260923", func(s *Stack) { s.Cluster.Version = "1.35" }},
		{"a release of the node image", nodeImageFieldID("web"), "1.34-20260625", func(s *Stack) { s.Tiers = Tiers{"web": {Release: "1.34-20260625"}} }},
		{"an AMI", nodeImageFieldID("application"), "ami-1", func(s *Stack) { s.Tiers = Tiers{"application": {ImageID: "ami-1"}} }},
		{"an upgrade by one minor", "cluster.version", "1.35", func(s *Stack) { s.Cluster.Version = "1.35" }},
		{"a downgrade", "cluster.version", refused, func(s *Stack) { s.Cluster.Version = "1.33" }},
		{"more storage", "postgres.storageGiB of managed", "200", func(s *Stack) { s.Postgres.StorageGiB = 200 }},
		{"less storage than the default that the stack has", "postgres.storageGiB of managed", refused, func(s *Stack) { s.Postgres.StorageGiB = 50 }},
		{"a rotation", "redis.passwordGeneration", "1", func(s *Stack) { s.Redis.PasswordGeneration = 1 }},
		{"a snapshot for a database that exists", "postgres.snapshotIdentifier", refused, func(s *Stack) { s.Postgres.SnapshotIdentifier = "last" }},
		{"a snapshot for a cache that exists", "redis.snapshotName", refused, func(s *Stack) { s.Redis.SnapshotName = "last" }},
		{"a snapshot for documents that exist", "mongo.snapshotIdentifier", refused, func(s *Stack) { s.Mongo.SnapshotIdentifier = "last" }},
		{"a move into an existing VPC", "network.vpcId", refused, func(s *Stack) { s.Network.VPCID = "vpc-1" }},
		{"PostgreSQL in the cluster has its own recorded size", "postgres.storageGiB of inCluster", "2", func(s *Stack) {
			s.Postgres.Kind, s.Postgres.StorageGiB = InCluster, 2
		}},
		{"PostgreSQL in the cluster has its own recorded password generation", "postgres.passwordGeneration", "0", func(s *Stack) { s.Postgres.Kind = InCluster }},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := existingStack()
			before := recordedValues(&s)
			tc.change(&s)
			after, err := acceptChange(&s, before)
			if tc.want == refused {
				require.ErrorContains(t, err, "can't become")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, after[tc.id])
			original := existingStack()
			restored, err := acceptChange(&original, after)
			if tc.id == ControlPlaneZones || tc.id == NATZone {
				require.NoError(t, err, "the change can be taken back")
				require.Equal(t, before[tc.id], restored[tc.id])
			}
		})
	}
}

// AWS does not remove a subnet from a store's subnet group while an instance of the store is in the
// subnet. So a stack may add subnets to its stores, but must keep the recorded ones.
func TestStoresKeepTheirSubnets(t *testing.T) {
	s := existingStack()
	s.Network = Network{VPCID: "vpc-1", PrivateSubnetIDs: []string{"a", "b"}, DatabaseSubnetIDs: []string{"d", "c"}}
	before := initialFixedValues(&s)
	for _, tc := range []struct {
		reason  string
		subnets []string
		want    string
	}{
		{"another order", []string{"c", "d"}, ""},
		{"one more", []string{"c", "d", "e"}, ""},
		{"one subnet is replaced", []string{"c", "e"}, `network.databaseSubnetIds: "c, d" can't become`},
		{"the subnets of the nodes instead", []string{"a", "b"}, `network.databaseSubnetIds: "c, d" can't become "a, b"`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s.Network.DatabaseSubnetIDs = tc.subnets
			kept, err := s.FixedFields()["network.databaseSubnetIds"].Accept(before["network.databaseSubnetIds"])
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "c, d", kept, "a subnet that was added can be taken out again")
		})
	}
}

// initialFixedValues returns the values of FixedFields that the guard records when it creates the
// stack: the values in the stack's current configuration.
func initialFixedValues(s *Stack) map[string]string {
	values := map[string]string{}
	for id, f := range s.FixedFields() {
		values[id] = f.Value
	}
	return values
}

// The guard refuses a change of cluster.version by more than one minor version.
func TestVersionsAreNotSkipped(t *testing.T) {
	s := existingStack()
	s.Cluster.Version = "1.33"
	before := recordedValues(&s)
	s.Cluster.Version = "1.35"
	_, err := acceptChange(&s, before)
	require.ErrorContains(t, err, `cluster.version: "1.33" can't become "1.35"`)
}

func TestVolumesOfStoresInTheClusterOnlyGrow(t *testing.T) {
	s := existingStack()
	s.Postgres.Kind, s.Redis.Kind = InCluster, InCluster
	before := recordedValues(&s)
	require.Equal(t, "20", before["postgres.storageGiB of inCluster"], "the stores' default is what the stack has")
	s.Redis.StorageGiB = 10
	_, err := acceptChange(&s, before)
	require.ErrorContains(t, err, `redis.storageGiB: "20" can't become "10"`)
	s.Redis.StorageGiB, s.StorageClass = 0, "other"
	_, err = acceptChange(&s, before)
	require.ErrorContains(t, err, `storageClass: "fast-ssd" can't become "other"`)
}

// The ids of the account's zones decide which zones EKS refuses. The letters of the zones do not.
func TestControlPlaneIsPlacedByZoneIDs(t *testing.T) {
	zonesAreSet := map[string]bool{path("cluster.zones").String(): true}
	zoneIDs := map[string]string{"a": "use1-az3", "b": "use1-az1", "c": "use1-az2", "d": "use1-az4"}
	for _, tc := range []struct {
		reason    string
		change    func(*Stack)
		want, err string
	}{
		{"the first zone is left out", func(*Stack) {}, "b, c", ""},
		{"the stack names zones with control planes", func(s *Stack) { s.Cluster.Zones, s.setKeys = []string{"c", "b"}, zonesAreSet }, "b, c", ""},
		{"the stack names a zone without", func(s *Stack) { s.Cluster.Zones, s.setKeys = []string{"a", "b"}, zonesAreSet }, "",
			"progressive-framework:cluster.zones: a is use1-az3 in this account, where EKS has no control planes; choose from b, c"},
		{"too few zones", func(s *Stack) { s.Network.Zones = []string{"a", "b"} }, "",
			"progressive-framework:network.zones: EKS has control planes in 1 of the zones and needs at least 2: it has none in these zones of this account: a is use1-az3; add one of c, d"},
		{"a zone that the account does not have", func(s *Stack) { s.Network.Zones = []string{"b", "c", "f"} }, "",
			"progressive-framework:network.zones: the account has no zone f; it has a, b, c, d"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			s := existingStack()
			tc.change(&s)
			fields, err := s.PlacementFields(s.Network.Zones, zoneIDs)
			if tc.err != "" {
				require.EqualError(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, fields[ControlPlaneZones].Value)
		})
	}
}
