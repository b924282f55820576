package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const zoneType = "aws:route53/zone:Zone"

// zoneServers is the number of name servers of a public zone.
const zoneServers = 4

// domainName validates a host name, or one with a wildcard:
// Route53/latest/DeveloperGuide/DomainNameFormat.html, without underscores.
var domainName = all(length(1, 253), pattern(`(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}`,
	"a domain name, as in www.example.com, without a dot at its end"))

var _ = add(&Row{
	Token:  zoneType,
	Source: "route53/zone.go", Page: "Route53/latest/APIReference/API_CreateHostedZone.html",
	Label: "Route53 Hosted Zone", Global: true, ID: "Z{id20}", NotFound: "NoSuchHostedZone",
	Props: Props{
		"name":            {Replace: true, Required: true, Valid: checkHostedZoneName, Same: sameDomain},
		"comment":         {Preset: "Managed by Pulumi", Valid: length(0, 256)},
		"forceDestroy":    {Default: false},
		"delegationSetId": {Replace: true, Refuse: noRow},
		"vpcs":            {Set: true},
		"vpcs.vpcId":      {Ref: &Ref{To: []string{vpcType}, Noun: "VPC", Missing: "InvalidVPCId"}},
		"vpcs.vpcRegion":  {Computed: true, Refuse: "the provider's region is that of the VPC"},
	},
	Outputs: map[string]string{"arn": "arn:{partition}:route53:::hostedzone/{id}", "zoneId": "{id}"},
	Verify: func(c *Call) error {
		if c.Old != nil && (len(c.Old.Objects("vpcs")) == 0) != (len(c.In.Objects("vpcs")) == 0) {
			return refuse("PublicZoneVPCAssociation", "A hosted zone can't become private, or public: create another one")
		}
		return nil
	},
	Fill: fillZone,
	Remove: func(c *Call) error {
		if c.Old.Bool("forceDestroy") {
			c.eachRecord(c.ID, func(o store.Object) { c.Tx.Delete(o.Key) })
		}
		return nil
	},
})

// checkHostedZoneName returns a message unless v is a domain name, which may end with a
// dot.
func checkHostedZoneName(v any) string {
	name, _ := v.(string)
	return domainName(strings.TrimSuffix(name, "."))
}

// sameDomain says whether two domain names are equal.
func sameDomain(a, b string) bool { return plainDomain(a) == plainDomain(b) }

// plainDomain returns a name as AWS returns it: in lower case, without a dot at its end.
func plainDomain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// fillZone creates the name servers of a new zone and the two records that every zone
// has.
func fillZone(c *Call) error {
	c.Out["name"] = strings.TrimSuffix(c.In.String("name"), ".")
	for _, vpc := range c.Out.Objects("vpcs") {
		vpc["vpcRegion"] = c.Region
	}
	if c.Old != nil {
		return nil
	}
	servers := make([]any, zoneServers)
	for i, top := range []string{"com", "net", "org", "co.uk"} {
		servers[i] = fmt.Sprintf("ns-%d.awsdns-00.%s", i*512, top) // those of a private zone
		if len(c.In.Objects("vpcs")) == 0 {
			n, err := randomBelow(512)
			if err != nil {
				return err
			}
			servers[i] = fmt.Sprintf("ns-%d.awsdns-%02d.%s", i*512+n, n%64, top)
		}
	}
	c.Out["primaryNameServer"] = servers[0]
	slices.SortFunc(servers, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	c.Out["nameServers"] = servers
	name := plainDomain(c.In.String("name"))
	soa := fmt.Sprintf("%v. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", c.Out["primaryNameServer"])
	for kind, values := range map[string][]any{"NS": servers, "SOA": {soa}} {
		if err := c.putOwned(recordType, fmt.Sprintf("%s_%s_%s", c.ID, name, kind), Object{
			"zoneId": c.ID, "name": name, "fqdn": name, "type": kind, "ttl": 900.0, "records": values,
		}); err != nil {
			return err
		}
	}
	return nil
}

// getZone finds one hosted zone by its id, or by its name, VPC and tags.
func getZone(c *Call, in Object) (Object, error) {
	if in.Has("zoneId") && in.Has("name") {
		return nil, errors.New("only one of zoneId and name may be given")
	}
	private := in.Bool("privateZone") || in.Has("vpcId")
	var found []store.Object
	c.Tx.Each(c.scope(rows[zoneType]), zoneType, func(o store.Object) bool {
		zone := Object(o.State)
		vpcs := zone.Objects("vpcs")
		matches := o.ID == in.String("zoneId") || !in.Has("zoneId") && (len(vpcs) > 0) == private &&
			(!in.Has("name") || sameDomain(zone.String("name"), in.String("name"))) &&
			(!in.Has("vpcId") || slices.ContainsFunc(vpcs, func(v Object) bool { return v.String("vpcId") == in.String("vpcId") }))
		for key, value := range in.Object("tags") {
			matches = matches && zone.Object("tagsAll")[key] == value
		}
		if matches {
			found = append(found, o)
		}
		return true
	})
	switch len(found) {
	case 0:
		return nil, errors.New("no matching Route 53 Hosted Zone found; in the sandbox, `sandbox aws create Zone name=NAME` creates one")
	case 1:
	default:
		return nil, errors.New("multiple Route 53 Hosted Zones matched; use additional constraints to reduce matches to a single Route 53 Hosted Zone")
	}
	zone, records := Object(found[0].State), 0.0
	c.eachRecord(found[0].ID, func(store.Object) { records++ })
	return Object{
		"id": found[0].ID, "zoneId": found[0].ID, "arn": zone["arn"], "name": plainDomain(zone.String("name")), "comment": zone["comment"],
		"nameServers": zone["nameServers"], "primaryNameServer": zone["primaryNameServer"], "privateZone": len(zone.Objects("vpcs")) > 0,
		"resourceRecordSetCount": records, "tags": map[string]any(zone.Object("tagsAll")), "callerReference": "terraform-" + found[0].Created.Format("20060102150405"),
	}, nil
}

// eachRecord visits the records of a zone, including those that every zone has.
func (c *Call) eachRecord(zone string, visit func(store.Object)) {
	c.Tx.Each(c.scope(rows[recordType]), recordType, func(o store.Object) bool {
		if o.State["zoneId"] == zone {
			visit(o)
		}
		return true
	})
}

// isPublicRecord says whether a public zone has a record with that name, type and value.
func (c *Call) isPublicRecord(name, kind, value string) bool {
	found := false
	c.Tx.Each(c.scope(rows[zoneType]), zoneType, func(zone store.Object) bool {
		if len(Object(zone.State).Objects("vpcs")) > 0 {
			return true
		}
		c.eachRecord(zone.ID, func(o store.Object) {
			record := Object(o.State)
			found = found || sameDomain(record.String("fqdn"), name) && record.String("type") == kind &&
				slices.ContainsFunc(record.Strings("records"), func(v string) bool { return sameDomain(v, value) })
		})
		return !found
	})
	return found
}
