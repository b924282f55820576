package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/components/changeguard/changerule"
	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/components/tier/instancespec"
)

// The ids of values that the program chooses when a stack is created, and reads from
// the state afterwards.
const (
	ControlPlaneZones = "cluster.zones"
	NATZone           = "zone of the single NAT gateway"
	EndpointZone      = "zone of the single endpoints"
)

// anotherStackFix is the fix for a value that can't change during the life of a stack.
const anotherStackFix = "Set it back; for another value create another stack, move to it, and destroy this one"

// FixedFields returns the values that can't change after the creation of a stack.
// They are recorded before the first resource, and checked before any change.
func (s *Stack) FixedFields() map[string]changerule.Field {
	firstZone := ""
	if len(s.Network.Zones) > 0 {
		firstZone = slices.Min(s.Network.Zones)
	}
	natField := changerule.Field{
		Path: "network.zones (zone of the NAT gateway)", Value: firstZone, Rule: changerule.Preferred, From: s.Network.Zones,
		Reason: "the only NAT gateway is in that zone, and its address can't move with it",
		Fix:    "Keep the zone, or change network.natGateways to perZone first, so that each zone has its own address",
	}
	if s.Network.NATGateways == subnet.NATSingle {
		natField.Rule = changerule.Kept
	}
	fields := map[string]changerule.Field{
		"aws:region":   fixedField("aws:region", s.Region, "a resource can't move to another region"),
		"account":      fixedField("account", s.Account, "a resource can't move to another account"),
		"environment":  fixedField("environment", s.Environment, "it is part of every name, and a new name is a new resource"),
		"network.cidr": fixedField("network.cidr", s.Network.CIDR, "AWS can't change the block of a VPC, and a stack can't move to another VPC"),
		NATZone:        natField,
		EndpointZone: {
			Path: "network.zones (zone of the endpoints)", Value: firstZone, Rule: changerule.Preferred, From: s.Network.Zones,
			Reason: "the endpoints stay in their zone", Fix: "Keep the zone",
		},
	}
	if s.Network.VPCID != "" && s.hasManagedStore() {
		fields["network.databaseSubnetIds"] = changerule.Field{
			Path: "network.databaseSubnetIds", Value: changerule.List(s.Network.DatabaseSubnetIDs), Rule: changerule.Kept, From: s.Network.DatabaseSubnetIDs,
			Reason: "AWS does not remove a subnet from a store's subnet group while an instance is in the subnet",
			Fix:    "Keep these subnets, to which others can be added; a stack that had no network.databaseSubnetIds has its privateSubnetIds there",
		}
	}
	if s.Cluster.Nodes != NodesOwn {
		for _, t := range scaling.Tiers() {
			fields[nodeImageFieldID(t.Name)] = s.nodeImageField(t.Name)
		}
	}
	if s.hasVolumes() {
		fields["storageClass"] = fixedField("storageClass", s.StorageClass, "Kubernetes can't change the class of a volume, so the stores would lose their data")
	}
	return fields
}

// PlacementFields returns two fields: the existing VPC, and the zones of the control plane. Their
// values can't change after the creation of a stack, and they depend on AWS's responses.
// networkZones are the names of the network's zones. zoneIDs maps the name of each zone of the
// account to its id. The id decides whether EKS accepts the zone. The error names the key, and the
// zone that EKS refuses.
func (s *Stack) PlacementFields(networkZones []string, zoneIDs map[string]string) (map[string]changerule.Field, error) {
	zonesField := changerule.Field{
		Path: "cluster.zones", Rule: changerule.Kept, From: networkZones,
		Reason: "EKS can't move the control plane's network interfaces to other zones, and network.zones must have their zones",
		Fix:    "Set it back; keep these zones in network.zones, where others can be added",
	}
	for _, zone := range networkZones {
		if zoneIDs[zone] == "" {
			return nil, fmt.Errorf("%s: the account has no zone %s; it has %s",
				path("network.zones"), zone, strings.Join(slices.Sorted(maps.Keys(zoneIDs)), ", "))
		}
	}
	if s.isSet("cluster.zones") {
		if err := eksspec.CheckZones(s.Cluster.Zones, networkZones); err != nil {
			return nil, fmt.Errorf("%s: %w", path("cluster.zones"), err)
		}
		zonesField.Rule, zonesField.Value = changerule.Fixed, changerule.List(s.Cluster.Zones)
		if err := eksspec.CheckZoneIDs(s.Cluster.Zones, networkZones, zoneIDs); err != nil {
			return nil, fmt.Errorf("%s: %w", path("cluster.zones"), err)
		}
	} else {
		chosen, err := eksspec.DefaultZones(networkZones, zoneIDs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path("network.zones"), err)
		}
		zonesField.Value = changerule.List(chosen)
	}
	return map[string]changerule.Field{
		ControlPlaneZones: zonesField,
		"network.vpcId":   fixedField("network.vpcId", s.Network.VPCID, "the cluster, the stores and the load balancer can't move to another VPC"),
	}, nil
}

// AppliedFields returns the values that can change in one direction only. Each value is recorded
// after its resource has changed, so a change that AWS refused can be undone.
func (s *Stack) AppliedFields() map[string]changerule.Field {
	fields := map[string]changerule.Field{
		"cluster.version": {
			Path: "cluster.version", Value: string(s.Cluster.Version), Rule: changerule.OneMinor,
			Reason: "EKS upgrades a cluster by one minor version at a time and never downgrades it",
			Fix:    "Choose the version that the cluster has, or the next one",
		},
	}
	if s.Cluster.Nodes != NodesOwn {
		// Each version has its own stages, so a new version can begin with the first one.
		fields["cluster.upgradeStage of "+string(s.Cluster.Version)] = changerule.Field{
			Path: "cluster.upgradeStage", Value: string(s.Cluster.UpgradeStage), Rule: changerule.Forward, From: s.Cluster.UpgradeStage.Values(),
			Reason: "these parts of the cluster have its version already, and EKS accepts no older add-ons",
			Fix:    "Set it back; a new cluster.version begins with the first stage",
		}
	}
	switch s.Postgres.Kind {
	case Managed:
		fields["postgres.snapshotIdentifier"] = creationField("postgres.snapshotIdentifier", s.Postgres.SnapshotIdentifier, "RDS restores a snapshot into a new database only")
		if spec, _, err := s.Database().Complete(); err == nil {
			fields["postgres.storageGiB of managed"] = growingField("postgres.storageGiB", spec.StorageGiB, "RDS can't shrink the storage of an instance")
		}
	case InCluster:
		fields["postgres.passwordGeneration"] = counterField("postgres.passwordGeneration", s.Postgres.PasswordGeneration)
		fields["postgres.storageGiB of inCluster"] = growingField("postgres.storageGiB", volumeGiB(s.Postgres.StorageGiB), "a volume can't shrink")
	}
	if s.Mongo.Kind == MongoManaged {
		fields["mongo.snapshotIdentifier"] = creationField("mongo.snapshotIdentifier", s.Mongo.SnapshotIdentifier, "DocumentDB restores a snapshot into a new cluster only")
	}
	switch s.Redis.Kind {
	case Managed:
		fields["redis.snapshotName"] = creationField("redis.snapshotName", s.Redis.SnapshotName, "ElastiCache restores a snapshot into a new cluster only")
		fields["redis.passwordGeneration"] = counterField("redis.passwordGeneration", s.Redis.PasswordGeneration)
	case InCluster:
		fields["redis.storageGiB of inCluster"] = growingField("redis.storageGiB", volumeGiB(s.Redis.StorageGiB), "a volume can't shrink")
	}
	if s.PodScaling.Enabled {
		fields["prometheus.storageGiB"] = growingField("prometheus.storageGiB", s.Prometheus.StorageGiB, "a volume can't shrink")
	}
	return fields
}

// nodeImageField returns the field of the image of a tier's nodes. A tier keeps the image that it
// was created with until the stack names another one. A new version of the platform or of the
// control plane replaces no nodes.
func (s *Stack) nodeImageField(tier scaling.TierName) changerule.Field {
	change := s.Tiers[string(tier)]
	f := changerule.Field{
		Path:  "tiers." + string(tier) + ".release",
		Value: cmp.Or(change.ImageID, change.Release), Rule: changerule.Free, Group: "nodes",
		Reason: "both tiers would replace their nodes at once, and one wrong image would take all of them",
		Fix:    "Change one tier, wait until its instance refresh has ended, then change the other",
	}
	if f.Value == "" {
		f.Value, f.Rule = instancespec.NewestRelease(string(s.Cluster.Version)).String(), changerule.Chosen
	}
	return f
}

// fixedField returns the field of a value that can never change.
func fixedField(path, value, reason string) changerule.Field {
	return changerule.Field{Path: path, Value: value, Rule: changerule.Fixed, Reason: reason, Fix: anotherStackFix}
}

// creationField returns the field of a value that has an effect only when a store is created.
func creationField(path, value, reason string) changerule.Field {
	return changerule.Field{Path: path, Value: value, Rule: changerule.Fixed, Reason: reason,
		Fix: "Set it back; docs/runbooks/restore.md restores data into a stack that exists"}
}

// growingField returns the field of a size that can only become larger.
func growingField(path string, gib int, reason string) changerule.Field {
	return changerule.Field{Path: path, Value: strconv.Itoa(gib), Rule: changerule.Grows, Reason: reason,
		Fix: "Keep the size that the store has, or choose a larger one"}
}

// counterField returns the field of a password generation, which can only increase by one.
func counterField(path string, generation int) changerule.Field {
	return changerule.Field{Path: path, Value: strconv.Itoa(generation), Rule: changerule.Counter,
		Reason: "a rotation keeps the value before it valid, so that nobody is locked out: it goes up by one at a time and never back",
		Fix:    "Increase the recorded generation by one, and run another update for the next"}
}

// volumeGiB returns the size of a volume in the cluster: the configured size, or the stores'
// default if configured is 0.
func volumeGiB(configured int) int {
	return cmp.Or(configured, int(storespec.DefaultVolumeSize().Bytes()/size.GiB(1).Bytes()))
}
