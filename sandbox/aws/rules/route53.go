package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const zoneType = "aws:route53/zone:Zone"

// nameServerDomains are the top-level domains of a zone's name servers. Each zone has one name server
// in each of these domains.
var nameServerDomains = []string{"com", "net", "org", "co.uk"}

// checkDomainName validates a domain name, which may begin with the wildcard label *
// (Route53/latest/DeveloperGuide/DomainNameFormat.html). Underscores are not allowed here.
var checkDomainName = all(length(1, 253), pattern(`(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}`,
	"a domain name as in www.example.com, without a dot at its end"))

var _ = registerRows(&Row{
	Token:  zoneType,
	Source: "route53/zone.go", Page: "Route53/latest/APIReference/API_CreateHostedZone.html",
	Label: "Route53 Hosted Zone", Global: true, ID: "Z{id20}", NotFound: "NoSuchHostedZone",
	Props: Props{
		"name":            {Replace: true, Required: true, Valid: checkHostedZoneName, Same: sameDomain},
		"comment":         {Preset: "Managed by Pulumi", Valid: length(0, 256)},
		"forceDestroy":    {Default: false},
		"delegationSetId": {Replace: true, Refuse: unsupportedReference},
		"vpcs":            {Set: true},
		"vpcs.vpcId":      {Ref: &Ref{To: []string{vpcType}, Noun: "VPC", Missing: "InvalidVPCId"}},
		"vpcs.vpcRegion":  {Computed: true, Refuse: "the provider's region is that of the VPC"},
	},
	Outputs: map[string]string{"arn": "arn:{partition}:route53:::hostedzone/{id}", "zoneId": "{id}"},
	Verify: func(c *Call) error {
		if c.Old != nil && isPrivateZone(c.Old) != isPrivateZone(c.In) {
			return refuse("PublicZoneVPCAssociation", "A hosted zone can't become private, or public: create another one")
		}
		return nil
	},
	Fill: fillZone,
	BeforeDelete: func(c *Call) error {
		if c.Old.Bool("forceDestroy") {
			c.eachRecord(c.ID, func(o store.Object) { c.Tx.Delete(o.Key) })
		}
		return nil
	},
})

// isPrivateZone reports whether a hosted zone is private. A private zone is associated with a
// VPC.
func isPrivateZone(zone Object) bool { return len(zone.Objects("vpcs")) > 0 }

// checkHostedZoneName returns a message unless v is a domain name. A dot at the end of v is
// allowed.
func checkHostedZoneName(v any) string {
	name, _ := v.(string)
	return checkDomainName(strings.TrimSuffix(name, "."))
}

// sameDomain reports whether two domain names are equal. It ignores letter case and a
// dot at the end.
func sameDomain(a, b string) bool { return normalizeDomain(a) == normalizeDomain(b) }

// normalizeDomain returns a domain name in lower case and without a dot at the end.
func normalizeDomain(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// fillZone chooses the name servers of a new zone, and creates the NS and SOA records that
// every zone has.
func fillZone(c *Call) error {
	c.Out["name"] = strings.TrimSuffix(c.In.String("name"), ".")
	for _, vpc := range c.Out.Objects("vpcs") {
		vpc["vpcRegion"] = c.Region
	}
	if c.Old != nil {
		return nil
	}
	servers := make([]any, len(nameServerDomains))
	for i, domain := range nameServerDomains {
		const perDomain = 512 // Route 53 numbers its servers 0-511 in com, 512-1023 in net, and so on
		first := i * perDomain
		if isPrivateZone(c.In) { // AWS returns the same servers for every private zone
			servers[i] = fmt.Sprintf("ns-%d.awsdns-00.%s", first, domain)
			continue
		}
		n, err := randomBelow(perDomain)
		if err != nil {
			return err
		}
		// The number after awsdns- is 0 to 63, as at AWS. How AWS chooses it was not checked.
		servers[i] = fmt.Sprintf("ns-%d.awsdns-%02d.%s", first+n, n%64, domain)
	}
	c.Out["primaryNameServer"] = servers[0]
	slices.SortFunc(servers, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	c.Out["nameServers"] = servers
	name := normalizeDomain(c.In.String("name"))
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

// getZone implements the Pulumi function aws:route53/getZone. It finds one hosted zone by
// its id, or by its name, VPC and tags.
func getZone(c *Call, in Object) (Object, error) {
	if in.Has("zoneId") && in.Has("name") {
		return nil, errors.New("only one of zoneId and name may be given")
	}
	var found []store.Object
	c.Tx.Each(c.scope(rows[zoneType]), zoneType, func(o store.Object) bool {
		if matchesZone(o, in) {
			found = append(found, o)
		}
		return true
	})
	if len(found) == 0 {
		return nil, errors.New("no matching Route 53 Hosted Zone found; in the sandbox, `sandbox aws create Zone name=NAME` creates one")
	}
	if len(found) > 1 {
		return nil, errors.New("multiple Route 53 Hosted Zones matched; use additional constraints to reduce matches to a single Route 53 Hosted Zone")
	}
	zone, recordCount := Object(found[0].State), 0.0
	c.eachRecord(found[0].ID, func(store.Object) { recordCount++ })
	return Object{
		"id": found[0].ID, "zoneId": found[0].ID, "arn": zone["arn"], "name": normalizeDomain(zone.String("name")), "comment": zone["comment"],
		"nameServers": zone["nameServers"], "primaryNameServer": zone["primaryNameServer"], "privateZone": isPrivateZone(zone),
		"resourceRecordSetCount": recordCount, "tags": map[string]any(zone.Object("tagsAll")), "callerReference": "terraform-" + found[0].Created.Format("20060102150405"),
	}, nil
}

// matchesZone reports whether a hosted zone fits the inputs of getZone.
func matchesZone(o store.Object, in Object) bool {
	zone := Object(o.State)
	for key, value := range in.Object("tags") {
		if zone.Object("tagsAll")[key] != value {
			return false
		}
	}
	if in.Has("zoneId") {
		return o.ID == in.String("zoneId")
	}
	wantPrivate := in.Bool("privateZone") || in.Has("vpcId")
	sameName := !in.Has("name") || sameDomain(zone.String("name"), in.String("name"))
	inVPC := !in.Has("vpcId") || slices.ContainsFunc(zone.Objects("vpcs"), func(v Object) bool { return v.String("vpcId") == in.String("vpcId") })
	return isPrivateZone(zone) == wantPrivate && sameName && inVPC
}

// eachRecord calls visit with each record of a zone, including the NS and SOA records.
func (c *Call) eachRecord(zoneID string, visit func(store.Object)) {
	c.Tx.Each(c.scope(rows[recordType]), recordType, func(o store.Object) bool {
		if o.State["zoneId"] == zoneID {
			visit(o)
		}
		return true
	})
}

// hasPublicRecord reports whether a public zone has a record with a name, a type and a value.
// kind is the type of the record, such as CNAME.
func (c *Call) hasPublicRecord(name, kind, value string) bool {
	found := false
	c.Tx.Each(c.scope(rows[zoneType]), zoneType, func(zone store.Object) bool {
		if isPrivateZone(zone.State) {
			return true
		}
		c.eachRecord(zone.ID, func(o store.Object) {
			record := Object(o.State)
			sameRecord := sameDomain(record.String("fqdn"), name) && record.String("type") == kind
			hasValue := slices.ContainsFunc(record.Strings("records"), func(v string) bool { return sameDomain(v, value) })
			found = found || sameRecord && hasValue
		})
		return !found
	})
	return found
}
