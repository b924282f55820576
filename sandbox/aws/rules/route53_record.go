package rules

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const recordType = "aws:route53/record:Record"

// maxTXTString is the number of characters in one string of a TXT record.
const maxTXTString = 255

const (
	invalidBatch    = "InvalidChangeBatch"
	noRoutingPolicy = "routing policies are not supported yet"
)

// toZone is a record's reference to its zone. A record of a program prevents the deletion
// of the zone. The zone owns its NS and SOA records, so these do not prevent the deletion.
var toZone = &Ref{To: []string{zoneType}, Noun: "hosted zone", Missing: "NoSuchHostedZone", InUseCode: "HostedZoneNotEmpty"}

var _ = registerRows(&Row{
	Token:  recordType,
	Source: "route53/record.go", Page: "Route53/latest/APIReference/API_ResourceRecordSet.html",
	Label: "Route53 Record", Global: true, NotFound: "NoSuchHostedZone",
	// verifyRecord refuses to overwrite a record, unless allowOverwrite is set.
	Put: true,
	NewID: func(c *Call) (string, error) {
		return fmt.Sprintf("%s_%s_%s", c.In.String("zoneId"), normalizeDomain(c.In.String("name")), c.In.String("type")), nil
	},
	Props: Props{
		"zoneId":                        {Replace: true, Ref: toZone},
		"name":                          {Replace: true, Same: sameDomain},
		"type":                          {},
		"ttl":                           {Valid: numbers(0, 1<<31-1)},
		"records":                       {Set: true, Min: 1, Max: 400},
		"allowOverwrite":                {Computed: true},
		"aliases":                       {Max: 1},
		"aliases.name":                  {Valid: length(1, 1024), Same: sameDomain},
		"aliases.zoneId":                {Valid: length(1, 32)},
		"aliases.evaluateTargetHealth":  {},
		"setIdentifier":                 {Refuse: noRoutingPolicy},
		"healthCheckId":                 {Refuse: unsupportedReference},
		"multivalueAnswerRoutingPolicy": {Refuse: noRoutingPolicy},
		"cidrRoutingPolicy":             {Refuse: noRoutingPolicy},
		"failoverRoutingPolicies":       {Refuse: noRoutingPolicy},
		"geolocationRoutingPolicies":    {Refuse: noRoutingPolicy},
		"geoproximityRoutingPolicy":     {Refuse: noRoutingPolicy},
		"latencyRoutingPolicies":        {Refuse: noRoutingPolicy},
		"weightedRoutingPolicies":       {Refuse: noRoutingPolicy},
	},
	ExactlyOne: [][]string{{"records", "aliases"}},
	AtMostOne:  [][]string{{"ttl", "aliases"}},
	Requires:   map[string][]string{"records": {"ttl"}, "ttl": {"records"}},
	Check:      checkRecord,
	Verify:     verifyRecord,
	Fill: func(c *Call) error {
		c.Out["name"], c.Out["fqdn"] = normalizeDomain(c.In.String("name")), c.fqdn()
		c.eachRecord(c.In.String("zoneId"), func(o store.Object) {
			if c.isSameRecord(o) && o.ID != c.ID { // the id of o has another spelling of the name
				c.Tx.Delete(o.Key)
			}
		})
		return nil
	},
})

// checkRecord reports failures for values that a record of its type cannot have.
func checkRecord(in Object, fail Fail) {
	values := in.Strings("records")
	kind := in.String("type")
	if kind == "CNAME" && len(values) > 1 {
		fail("records", "has %d elements, a CNAME has one", len(values))
	}
	for i, value := range values {
		// The provider adds quotes at both ends of a text. Two quotes inside the text
		// separate strings (Route53/latest/DeveloperGuide/ResourceRecordTypes.html,
		// TXTFormat).
		for text := range strings.SplitSeq(value, `""`) {
			if n := len(strings.Trim(text, `"`)); (kind == "TXT" || kind == "SPF") && n > maxTXTString {
				fail(fmt.Sprintf("records[%d]", i), `has a string of %d characters, may have %d: separate strings by ""`, n, maxTXTString)
			}
		}
		address, err := netip.ParseAddr(value)
		is4, is6 := err == nil && address.Is4(), err == nil && address.Is6()
		if (kind == "A" && !is4) || (kind == "AAAA" && !is6) {
			fail(fmt.Sprintf("records[%d]", i), "%q is no address for a record of type %s", value, kind)
		}
	}
}

// fqdn returns the full name of the call's record. If the record's name does not end with
// the zone's name, fqdn adds the zone's name.
func (c *Call) fqdn() string {
	zone, _ := c.referencedObject("zoneId")
	name, parent := normalizeDomain(c.In.String("name")), normalizeDomain(Object(zone.State).String("name"))
	switch {
	case name == "":
		return parent
	case name == parent || strings.HasSuffix(name, "."+parent):
		return name
	}
	return name + "." + parent
}

// isSameRecord reports whether the record o has the same full name and type as the record of the
// call.
func (c *Call) isSameRecord(o store.Object) bool {
	return o.State["fqdn"] == c.fqdn() && o.State["type"] == c.In.String("type")
}

// verifyRecord returns Route 53's error for a record that conflicts with another record, and
// for an invalid alias. The error texts are from public issues and logs.
func verifyRecord(c *Call) error {
	zone, _ := c.referencedObject("zoneId")
	zoneName := Object(zone.State).String("name")
	fqdn, kind := c.fqdn(), c.In.String("type")
	if kind == "CNAME" && sameDomain(fqdn, zoneName) {
		return refuse(invalidBatch, "RRSet of type CNAME with DNS name %s. is not permitted at apex in zone %s.", fqdn, zoneName)
	}
	var refusal error
	c.eachRecord(zone.ID, func(o store.Object) {
		otherType, _ := o.State["type"].(string)
		switch {
		case o.ID == c.ID || o.State["fqdn"] != fqdn: // o is the call's record or has another name: no conflict
		case otherType == kind && c.Old == nil && !c.In.Bool("allowOverwrite"):
			refusal = refuse(invalidBatch, "Tried to create resource record set [name='%s.', type='%s'] but it already exists", fqdn, kind)
		case otherType != kind && (otherType == "CNAME" || kind == "CNAME"):
			refusal = refuse(invalidBatch, "RRSet of type %s with DNS name %s. is not permitted because a conflicting RRSet of type %s with the same "+
				"DNS name already exists in zone %s.", kind, fqdn, otherType, zoneName)
		}
	})
	if refusal != nil {
		return refusal
	}
	return c.verifyAliasTarget(zone.ID)
}

// verifyAliasTarget returns an error for an alias to a target that does not exist. It
// checks only targets in the record's zone, and distributions of CloudFront.
func (c *Call) verifyAliasTarget(zoneID string) error {
	for _, alias := range c.In.Objects("aliases") {
		name, kind := normalizeDomain(alias.String("name")), c.In.String("type")
		found, inZone := true, true // targets in other zones are accepted without a check
		switch alias.String("zoneId") {
		case zoneID:
			found = false
			c.eachRecord(zoneID, func(o store.Object) { found = found || o.State["fqdn"] == name && o.State["type"] == kind })
		case distributionZoneID:
			_, found = c.distributionAt(name)
			inZone = strings.HasSuffix(name, ".cloudfront.net")
			if alias.Bool("evaluateTargetHealth") {
				return refuse("InvalidInput", "EvaluateTargetHealth can't be true for a CloudFront distribution: %s", name)
			}
			if kind != "A" && kind != "AAAA" {
				return refuse(invalidBatch, "A record of type %s can't be an alias to a CloudFront distribution: %s", kind, name)
			}
		}
		attempt := fmt.Sprintf("Tried to create an alias that targets %s., type %s in zone %s", name, kind, alias.String("zoneId"))
		switch {
		case !inZone:
			return refuse(invalidBatch, "%s, but the alias target name does not lie within the target zone", attempt)
		case !found:
			return refuse(invalidBatch, "%s, but that target was not found", attempt)
		}
	}
	return nil
}
