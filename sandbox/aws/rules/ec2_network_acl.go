package rules

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	networkACLType            = "aws:ec2/networkAcl:NetworkAcl"
	networkACLRuleType        = "aws:ec2/networkAclRule:NetworkAclRule"
	networkACLAssociationType = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
)

// toNetworkACL is a reference to a network ACL. The deletion of the ACL also deletes
// its rules and associations.
var toNetworkACL = &Ref{To: []string{networkACLType}, Noun: "networkAcl ID", Missing: "InvalidNetworkAclID.NotFound", DeletedWith: true}

// maxEntries is the default quota of rules for each direction of a network ACL
// (vpc/latest/userguide/amazon-vpc-limits.html). AWS can raise it to 40, but a program
// must also work in an account with the default quota.
const maxEntries = 20

// entryProps returns the property rules of the entries inside a network ACL. direction
// is ingress or egress.
func entryProps(direction string) Props {
	return Props{
		direction:                    {Set: true, Computed: true},
		direction + ".ruleNo":        {Valid: numbers(1, 32766)},
		direction + ".action":        {},
		direction + ".protocol":      {Valid: checkEntryProtocol, Same: sameProtocol},
		direction + ".cidrBlock":     {Valid: cidr4(0, 32)},
		direction + ".ipv6CidrBlock": {Valid: cidr6(0, 128), Same: sameCIDR},
		direction + ".fromPort":      {Valid: numbers(0, 65535)},
		direction + ".toPort":        {Valid: numbers(0, 65535)},
		direction + ".icmpType":      {Valid: numbers(-1, 255)},
		direction + ".icmpCode":      {Valid: numbers(-1, 255)},
	}
}

var _ = registerRows(
	&Row{
		Token:  networkACLType,
		Source: "ec2/vpc_network_acl.go", Page: "vpc/latest/userguide/nacl-rules.html",
		Label: "EC2 Network ACL", ID: "acl-{hex17}", NotFound: "InvalidNetworkAclID.NotFound",
		Props: Props{
			"vpcId":     {Replace: true, Ref: toVPC},
			"subnetIds": {Set: true, Computed: true, Ref: &Ref{To: toSubnet.To, Noun: toSubnet.Noun, Missing: toSubnet.Missing}},
		}.with(entryProps("ingress")).with(entryProps("egress")),
		Outputs: map[string]string{"arn": "arn:{partition}:ec2:{region}:{account}:network-acl/{id}", "ownerId": "{account}"},
		Check: func(in Object, fail Fail) {
			for _, direction := range []string{"ingress", "egress"} {
				seen := map[int]bool{} // the rule numbers that are in use
				entries := in.Objects(direction)
				for i, e := range entries {
					path := fmt.Sprintf("%s[%d]", direction, i)
					checkEntry(e, path, fail)
					if seen[e.Int("ruleNo")] {
						fail(path+".ruleNo", "the number %d is given twice", e.Int("ruleNo"))
					}
					seen[e.Int("ruleNo")] = e.Known("ruleNo")
				}
				if len(entries) > maxEntries {
					fail(direction, "%d rules; AWS allows %d", len(entries), maxEntries)
				}
			}
		},
		Verify: func(c *Call) error {
			if err := c.verifyRulesNotMixed(); err != nil {
				return err
			}
			for _, subnet := range c.referencedObjects("subnetIds") {
				if err := c.verifyAssociation(subnet, c.In.String("vpcId")); err != nil {
					return err
				}
			}
			return nil
		},
		Refresh: refreshNetworkACL,
	},
	&Row{
		Token:  networkACLRuleType,
		Source: "ec2/vpc_network_acl_rule.go", Page: "AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html",
		Label: "EC2 Network ACL Rule", NotFound: "InvalidNetworkAclEntry.NotFound",
		NewID: func(c *Call) (string, error) {
			key := fmt.Sprintf("%s-%d-%t-%s-", c.In.String("networkAclId"), c.In.Int("ruleNumber"), c.In.Bool("egress"), c.In.String("protocol"))
			return fmt.Sprintf("nacl-%d", crc32.ChecksumIEEE([]byte(key))), nil
		},
		Props: Props{
			"networkAclId":  {Replace: true, Ref: toNetworkACL},
			"egress":        {Replace: true, Default: false},
			"ruleNumber":    {Replace: true, Valid: numbers(1, 32766)},
			"ruleAction":    {Replace: true},
			"protocol":      {Replace: true, Valid: checkEntryProtocol, Same: sameProtocol},
			"cidrBlock":     {Replace: true, Valid: cidr4(0, 32)},
			"ipv6CidrBlock": {Replace: true, Valid: cidr6(0, 128), Same: sameCIDR},
			"fromPort":      {Replace: true, Valid: numbers(0, 65535)},
			"toPort":        {Replace: true, Valid: numbers(0, 65535)},
			"icmpType":      {Replace: true, Valid: numbers(-1, 255)},
			"icmpCode":      {Replace: true, Valid: numbers(-1, 255)},
		},
		// A replacement has the number of the old rule, and the provider does not
		// overwrite a rule. So the program must set deleteBeforeReplace.
		ExactlyOne: [][]string{{"cidrBlock", "ipv6CidrBlock"}},
		Check:      func(in Object, fail Fail) { checkEntry(in, "", fail) },
		Verify:     verifyEntry,
	},
	&Row{
		Token:  networkACLAssociationType,
		Source: "ec2/vpc_network_acl_association.go", Page: "AWSEC2/latest/APIReference/API_ReplaceNetworkAclAssociation.html",
		Label: "EC2 Network ACL Association", ID: "aclassoc-{hex17}", NotFound: "InvalidAssociationID.NotFound",
		Props: Props{
			"networkAclId": {Replace: true, Ref: toNetworkACL},
			"subnetId":     {Replace: true, Ref: &Ref{To: toSubnet.To, Noun: toSubnet.Noun, Missing: toSubnet.Missing, DeletedWith: true}},
		},
		Verify: func(c *Call) error {
			acl, _ := c.referencedObject("networkAclId")
			subnet, _ := c.referencedObject("subnetId")
			return c.verifyAssociation(subnet, Object(acl.State).String("vpcId"))
		},
	},
)

// checkEntryProtocol returns a message unless v is a protocol in lower case.
func checkEntryProtocol(v any) string {
	if s, _ := v.(string); s != strings.ToLower(s) {
		return fmt.Sprintf("%q must be in lower case", s)
	}
	return checkProtocol(v)
}

// checkEntry reports failures for ports and ICMP types that do not fit the protocol. AWS stores
// no ports for ICMP and for the protocol -1, which means all protocols. path is the path of an
// inline rule in messages, and "" for a rule that is a separate resource.
func checkEntry(e Object, path string, fail Fail) {
	if path != "" && !e.hasExactlyOne("cidrBlock", "ipv6CidrBlock") {
		fail(path, "exactly one of cidrBlock and ipv6CidrBlock must be given")
	}
	if !e.Known("protocol") {
		return
	}
	number := protocolNumber(e.String("protocol"))
	isICMP := number == protocols["icmp"] || number == protocols["icmpv6"]
	from, to := e.Int("fromPort"), e.Int("toPort")
	switch {
	case number == protocols["tcp"] || number == protocols["udp"]:
		if !e.Has("fromPort") || !e.Has("toPort") {
			fail(joinPath(path, "fromPort"), "both fromPort and toPort must be given with TCP and UDP")
		} else if from > to && e.Known("fromPort") && e.Known("toPort") {
			fail(joinPath(path, "fromPort"), "%d to %d is not a range of ports", from, to)
		}
	case from != 0 || to != 0:
		fail(joinPath(path, "fromPort"), "both fromPort and toPort must be 0, because the protocol has no ports")
	}
	if isICMP != e.Has("icmpType") || isICMP != e.Has("icmpCode") {
		fail(joinPath(path, "icmpType"), "icmpType and icmpCode must be given for ICMP, and for no other protocol")
	}
}

// ruleDirection returns the property of a network ACL that has inline rules for the direction of a
// rule: egress or ingress.
func ruleDirection(rule Object) string {
	if rule.Bool("egress") {
		return "egress"
	}
	return "ingress"
}

// verifyEntry returns an error if the number of the rule is in use. It also returns an error if
// the network ACL has too many rules, or has inline rules for the same direction.
func verifyEntry(c *Call) error {
	acl, _ := c.referencedObject("networkAclId")
	direction := ruleDirection(c.In)
	if len(Object(acl.State).Objects(direction)) > 0 {
		return refuse("NetworkAclEntryAlreadyExists", "%s has inline %s rules; the next update of the network ACL would remove this rule. "+
			"Define all rules inline, or all as separate resources (refused by the AWS stand-in)", acl.ID, direction)
	}
	count, exists := 1, false
	c.Tx.Each(c.scope(c.Row), networkACLRuleType, func(o store.Object) bool {
		other := Object(o.State)
		if o.ID != c.ID && other.String("networkAclId") == acl.ID && other.Bool("egress") == c.In.Bool("egress") {
			count++
			exists = exists || other.Int("ruleNumber") == c.In.Int("ruleNumber")
		}
		return true
	})
	switch {
	case exists:
		return refuse("NetworkAclEntryAlreadyExists", "EC2 Network ACL (%s) Rule (egress: %t)(%d) already exists", acl.ID, c.In.Bool("egress"), c.In.Int("ruleNumber"))
	case count > maxEntries:
		return refuse("NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached: %d %s rules in %s", maxEntries, direction, acl.ID)
	}
	return nil
}

// verifyRulesNotMixed returns an error if a direction of a network ACL has both inline rules
// and rules that are separate resources.
func (c *Call) verifyRulesNotMixed() error {
	var conflict error
	c.Tx.Each(c.scope(c.Row), networkACLRuleType, func(o store.Object) bool {
		rule := Object(o.State)
		direction := ruleDirection(rule)
		if rule.String("networkAclId") == c.ID && c.In.Has(direction) {
			conflict = refuse("NetworkAclEntryAlreadyExists", "%s has %s rules as separate resources, such as %s; this update would remove them. "+
				"Define all rules inline, or all as separate resources (refused by the AWS stand-in)", c.ID, direction, o.ID)
		}
		return conflict == nil
	})
	return conflict
}

// verifyAssociation returns an error for a subnet of another VPC. It also returns an error for
// a subnet that another resource has associated. AWS would move that subnet, and the other
// resource would always show a difference.
func (c *Call) verifyAssociation(subnet store.Object, vpcID string) error {
	if subnetVPC := Object(subnet.State).String("vpcId"); subnetVPC != vpcID {
		return refuse("InvalidParameterValue", "The subnet %s is in %s, the network ACL in %s", subnet.ID, subnetVPC, vpcID)
	}
	otherID := "" // the resource that has already associated the subnet
	c.Tx.Each(c.scope(c.Row), networkACLAssociationType, func(o store.Object) bool {
		if o.ID != c.ID && Object(o.State).String("subnetId") == subnet.ID {
			otherID = o.ID
		}
		return otherID == ""
	})
	c.Tx.Each(c.scope(c.Row), networkACLType, func(o store.Object) bool {
		if o.ID != c.ID && slices.Contains(Object(o.State).Strings("subnetIds"), subnet.ID) {
			otherID = o.ID
		}
		return otherID == ""
	})
	if otherID != "" {
		return refuse("Resource.AlreadyAssociated", "the subnet %s is associated by %s already: AWS would move it, and the other resource would always show a difference "+
			"(refused by the AWS stand-in)", subnet.ID, otherID)
	}
	return nil
}

// refreshNetworkACL adds the rules and associations that are separate resources, as AWS
// does at a read, and removes subnets that no longer exist.
func refreshNetworkACL(c *Call) error {
	var subnets []string
	for _, id := range c.Out.Strings("subnetIds") {
		if _, ok := c.resolve(toSubnet, id); ok {
			subnets = append(subnets, id)
		}
	}
	c.Tx.Each(c.scope(c.Row), networkACLAssociationType, func(o store.Object) bool {
		if a := Object(o.State); a.String("networkAclId") == c.ID && !slices.Contains(subnets, a.String("subnetId")) {
			subnets = append(subnets, a.String("subnetId"))
		}
		return true
	})
	slices.Sort(subnets)
	subnetIDs := make([]any, len(subnets))
	for i, id := range subnets {
		subnetIDs[i] = id
	}
	c.Out["subnetIds"] = subnetIDs
	for _, direction := range []string{"ingress", "egress"} {
		entries := []any{}
		for _, e := range c.Out.Objects(direction) {
			entries = append(entries, map[string]any(e))
		}
		c.Tx.Each(c.scope(c.Row), networkACLRuleType, func(o store.Object) bool {
			rule := Object(o.State)
			if rule.String("networkAclId") == c.ID && rule.Bool("egress") == (direction == "egress") {
				entries = append(entries, inlineEntry(rule))
			}
			return true
		})
		slices.SortFunc(entries, func(a, b any) int { return cmp.Compare(canonicalText(a, sortLists), canonicalText(b, sortLists)) })
		c.Out[direction] = entries
	}
	return nil
}

// inlineEntry returns a network ACL rule in the form of an inline rule. The parameter has the
// form of a separate resource.
func inlineEntry(rule Object) map[string]any {
	out := map[string]any{
		"ruleNo": rule["ruleNumber"], "action": rule["ruleAction"], "protocol": protocolNumber(rule.String("protocol")),
		"fromPort": float64(rule.Int("fromPort")), "toPort": float64(rule.Int("toPort")),
	}
	for _, name := range []string{"cidrBlock", "ipv6CidrBlock", "icmpType", "icmpCode"} {
		if rule.Has(name) {
			out[name] = rule[name]
		}
	}
	return out
}
