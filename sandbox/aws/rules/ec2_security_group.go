package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	securityGroupType = "aws:ec2/securityGroup:SecurityGroup"
	ingressRuleType   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressRuleType    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

// checkGroupText returns a message unless the value has only the characters that names and
// descriptions of security groups may have
// (AWSEC2/latest/APIReference/API_CreateSecurityGroup.html).
var checkGroupText = pattern(`[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*`, "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*")

// inlineRuleProps returns the property rules of the ingress or egress blocks of a
// group.
func inlineRuleProps(prefix string) Props {
	return Props{
		prefix:                     {Set: true, Computed: true},
		prefix + ".cidrBlocks":     {Valid: cidr4(0, 32)},
		prefix + ".ipv6CidrBlocks": {Valid: cidr6(0, 128)},
		prefix + ".prefixListIds":  {Refuse: "prefix lists are for rules that are resources of their own"},
		prefix + ".securityGroups": {Set: true, Ref: toSecurityGroup},
		prefix + ".self":           {Default: false},
		prefix + ".description":    {Valid: all(length(0, 255), checkGroupText)},
		prefix + ".protocol":       {Valid: checkProtocol, Same: sameProtocol},
		prefix + ".fromPort":       {Valid: numbers(-1, 65535)},
		prefix + ".toPort":         {Valid: numbers(-1, 65535)},
	}
}

// groupOutputs are the outputs that security groups and default security groups share.
var groupOutputs = map[string]string{
	"arn":     "arn:{partition}:ec2:{region}:{account}:security-group/{id}",
	"ownerId": "{account}",
}

var _ = registerRows(
	&Row{
		Token:  securityGroupType,
		Source: "ec2/vpc_security_group.go", Page: "AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
		Label: "EC2 Security Group", ID: "sg-{hex17}", NotFound: "InvalidGroup.NotFound",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props: Props{
			"name":                {Replace: true, Computed: true, Valid: all(length(1, 255), checkGroupText, withoutPrefix("sg-"))},
			"namePrefix":          {Replace: true, Computed: true, Valid: all(length(1, 229), checkGroupText, withoutPrefix("sg-"))},
			"description":         {Replace: true, Preset: "Managed by Pulumi", Valid: all(length(1, 255), checkGroupText)},
			"vpcId":               {Replace: true, Required: true, Ref: toVPC},
			"revokeRulesOnDelete": {Default: false},
		}.with(inlineRuleProps("ingress")).with(inlineRuleProps("egress")),
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Unique: []Unique{{
			Props: []string{"vpcId", "name"}, Code: "InvalidGroup.Duplicate",
			Message: "The security group '{name}' already exists for VPC '{vpcId}'",
		}},
		Outputs: groupOutputs,
		Check: func(in Object, fail Fail) {
			checkInlineRules(in, fail)
			if in.String("name") == "default" {
				fail("name", "default is reserved for the VPC's own group")
			}
		},
		Refresh:      refreshSecurityGroup,
		BeforeDelete: beforeDeleteSecurityGroup,
	},
	&Row{
		Token:  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
		Source: "ec2/vpc_default_security_group.go", Page: "vpc/latest/userguide/default-security-group.html",
		Label: "EC2 Default Security Group", NotFound: "InvalidGroup.NotFound", Put: true,
		Props: Props{
			// The provider does not delete the default group, so the group does not
			// prevent the deletion of the VPC.
			"vpcId":               {Replace: true, Required: true, Ref: &Ref{To: toVPC.To, Noun: toVPC.Noun, Missing: toVPC.Missing, DeletedWith: true}},
			"revokeRulesOnDelete": {Default: false},
		}.with(inlineRuleProps("ingress")).with(inlineRuleProps("egress")),
		NewID: func(c *Call) (string, error) {
			vpc, _ := c.referencedObject("vpcId")
			return Object(vpc.State).String("defaultSecurityGroupId"), nil
		},
		Outputs: map[string]string{
			"arn": groupOutputs["arn"], "ownerId": "{account}", "name": "default", "description": "default VPC security group",
		},
		Check: checkInlineRules,
		Fill: func(c *Call) error {
			// When the provider adopts the default group, it revokes the rules of an
			// omitted block. A later update keeps the rules of an omitted block.
			if c.Old != nil {
				return nil
			}
			for _, name := range []string{"ingress", "egress"} {
				if !c.In.Has(name) {
					c.Out[name] = []any{}
				}
			}
			return nil
		},
	},
	newRuleRow(ingressRuleType, "Ingress"),
	newRuleRow(egressRuleType, "Egress"),
)

// ruleSources are the sources, or the destinations, of a rule. A rule has exactly one.
var ruleSources = []string{"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"}

// newRuleRow returns the row of a security group rule that is a separate resource.
func newRuleRow(token, direction string) *Row {
	return &Row{
		Token:  token,
		Source: "ec2/vpc_security_group_" + strings.ToLower(direction) + "_rule.go", Page: "AWSEC2/latest/APIReference/API_AuthorizeSecurityGroup" + direction + ".html",
		Label: "EC2 Security Group " + direction + " Rule", ID: "sgr-{hex17}", NotFound: "InvalidSecurityGroupRuleId.NotFound",
		Props: Props{
			"securityGroupId": {Replace: true, Ref: &Ref{
				To: toSecurityGroup.To, Noun: toSecurityGroup.Noun, Missing: toSecurityGroup.Missing, DeletedWith: true,
			}},
			"referencedSecurityGroupId": {Ref: toSecurityGroup},
			"cidrIpv4":                  {Valid: cidr4(0, 32)},
			"cidrIpv6":                  {Valid: cidr6(0, 128), Same: sameCIDR},
			"prefixListId":              {Valid: pattern(`pl-[0-9a-f]{8,17}`, "a prefix list as in pl-12345678")},
			"ipProtocol":                {Valid: all(checkProtocol, checkProtocolSpelling), Same: sameProtocol},
			"fromPort":                  {Valid: numbers(-1, 65535)},
			"toPort":                    {Valid: numbers(-1, 65535)},
			"description":               {Valid: all(length(0, 255), checkGroupText)},
		},
		ExactlyOne: [][]string{ruleSources},
		Outputs: map[string]string{
			"arn":                 "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}",
			"securityGroupRuleId": "{id}",
		},
		Check: func(in Object, fail Fail) { checkPorts(in, "ipProtocol", "", fail) },
		// AWS changes a rule in place, but it cannot change the kind of its source.
		ReplaceIf: func(old, in Object) []string {
			for _, name := range ruleSources {
				if in.Has(name) && old.String(name) == "" {
					return []string{name}
				}
			}
			return nil
		},
		Verify: verifyRule,
	}
}

// protocols are the protocol names of EC2 with their numbers
// (AWSEC2/latest/APIReference/API_IpPermission.html).
var protocols = map[string]string{"icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58", "all": "-1"}

// checkProtocol returns a message unless v is the name or the number of a protocol in
// protocols.
func checkProtocol(v any) string {
	s, _ := v.(string)
	if _, isName := protocols[strings.ToLower(s)]; isName {
		return ""
	}
	for _, number := range protocols {
		if s == number {
			return ""
		}
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n <= 255 {
		// AWS ignores the ports of other protocols. AWS's pages do not say which ports a read
		// then returns.
		return fmt.Sprintf("refused by the AWS stand-in: the protocol number %s is not supported yet: must be tcp, udp, icmp, icmpv6 or -1", s)
	}
	return fmt.Sprintf("%q must be tcp, udp, icmp, icmpv6, or -1 for all", s)
}

// checkProtocolSpelling returns a message for a spelling of a protocol that AWS does not
// accept. For rules that are separate resources, the provider sends the protocol unchanged.
func checkProtocolSpelling(v any) string {
	if s, _ := v.(string); s == "all" || s != strings.ToLower(s) {
		return fmt.Sprintf("refused by the AWS stand-in: %q is sent to AWS as it is; write names in lower case, and -1 for all", s)
	}
	return ""
}

// sameProtocol reports whether two names or numbers mean the same protocol.
func sameProtocol(a, b string) bool { return protocolNumber(a) == protocolNumber(b) }

// protocolNumber returns the number of a protocol. s is the name or the number of the protocol.
func protocolNumber(s string) string {
	if n, ok := protocols[strings.ToLower(s)]; ok {
		return n
	}
	return s
}

// checkPorts reports failures for port ranges that do not fit the protocol.
// protocolProp is the property with the protocol: "ipProtocol" in a rule that is a separate
// resource, "protocol" in an inline rule.
func checkPorts(rule Object, protocolProp, path string, fail Fail) {
	isUnknown := func(port string) bool { return rule.Has(port) && !rule.Known(port) }
	if !rule.Known(protocolProp) || isUnknown("fromPort") || isUnknown("toPort") {
		return
	}
	from, to := rule.Int("fromPort"), rule.Int("toPort")
	switch protocolNumber(rule.String(protocolProp)) {
	case protocols["all"]:
		if protocolProp == "ipProtocol" && (rule.Has("fromPort") || rule.Has("toPort")) {
			fail(joinPath(path, "fromPort"), "must be left out for the protocol -1 (all protocols): AWS ignores it")
		}
		if protocolProp == "protocol" && (from != 0 || to != 0) {
			fail(joinPath(path, "fromPort"), "both fromPort and toPort must be 0 for the protocol -1 (all protocols)")
		}
	case protocols["tcp"], protocols["udp"]:
		if !rule.Has("fromPort") || !rule.Has("toPort") {
			fail(joinPath(path, "fromPort"), "both fromPort and toPort must be given with TCP and UDP")
		} else if from > to || from < 0 {
			fail(joinPath(path, "fromPort"), "%d to %d is not a range of ports", from, to)
		}
	case protocols["icmp"], protocols["icmpv6"]:
		// A rule for ICMPv6 may omit both ports. Then it allows all types and codes.
		required := protocolNumber(rule.String(protocolProp)) == protocols["icmp"]
		checkICMP(rule, required, path, fail)
	}
}

// checkICMP checks the ICMP type in fromPort and the ICMP code in toPort. If required is false,
// a rule may omit both. path is the rule's path in messages.
func checkICMP(rule Object, required bool, path string, fail Fail) {
	icmpType, icmpCode := rule.Int("fromPort"), rule.Int("toPort")
	switch {
	case rule.hasExactlyOne("fromPort", "toPort") || (required && !rule.Has("fromPort")):
		fail(joinPath(path, "fromPort"), "both fromPort, the ICMP type, and toPort, the code, must be given")
	case icmpType > 255 || icmpCode > 255:
		fail(joinPath(path, "fromPort"), "%d is not an ICMP type, or %d is not an ICMP code: both are from 0 to 255, and -1 means all", icmpType, icmpCode)
	case icmpType == -1 && icmpCode != -1:
		fail(joinPath(path, "toPort"), "must be -1: all ICMP types have all codes")
	}
}

// checkInlineRules checks the ports and the sources of inline rules.
func checkInlineRules(in Object, fail Fail) {
	for _, direction := range []string{"ingress", "egress"} {
		for i, r := range in.Objects(direction) {
			path := fmt.Sprintf("%s[%d]", direction, i)
			checkPorts(r, "protocol", path, fail)
			given := func(name string) bool { return r.Has(name) && (!r.Known(name) || !isZero(r[name])) }
			if !slices.ContainsFunc([]string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups", "self"}, given) {
				fail(path, "one of cidrBlocks, ipv6CidrBlocks, prefixListIds, securityGroups and self must be given")
			}
		}
	}
}

// ruleKey returns a text that identifies a rule: the protocol, the ports and the source. AWS
// treats two rules with the same text as duplicates, even if their descriptions differ.
func ruleKey(o Object) string {
	source := ""
	for _, name := range ruleSources {
		if s := o.String(name); s != "" {
			source = name + " " + s
		}
	}
	from, to := o.Int("fromPort"), o.Int("toPort")
	if protocolNumber(o.String("ipProtocol")) == protocols["all"] {
		from, to = -1, -1
	}
	return fmt.Sprintf("%s %d-%d %s", protocolNumber(o.String("ipProtocol")), from, to, source)
}

// verifyRule returns an error for a duplicate rule, an unknown prefix list, a rule above
// the quota, and a source group in another VPC.
func verifyRule(c *Call) error {
	group, _ := c.referencedObject("securityGroupId")
	key := ruleKey(c.In)
	var duplicate error
	c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
		other := Object(o.State)
		if o.ID != c.ID && other.String("securityGroupId") == group.ID && ruleKey(other) == key {
			duplicate = refuse("InvalidPermission.Duplicate", "the specified rule \"%s\" already exists in %s: it is %s", key, group.ID, o.ID)
		}
		return duplicate == nil
	})
	if duplicate != nil {
		return duplicate
	}
	if id := c.In.String("prefixListId"); id != "" && c.prefixListWeight(id) == 0 {
		return refuse("InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist", id)
	}
	if err := c.verifyRuleCount(group); err != nil {
		return err
	}
	if other, ok := c.referencedObject("referencedSecurityGroupId"); ok {
		if groupVPC, otherVPC := Object(group.State).String("vpcId"), Object(other.State).String("vpcId"); groupVPC != otherVPC {
			return refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks: %s and %s.", group.ID, other.ID)
		}
	}
	return nil
}

// maxRules is the default quota of rules for each direction and address family
// (vpc/latest/userguide/amazon-vpc-limits.html). AWS can raise it, but a program must also
// work in an account with the default quota.
const maxRules = 60

// verifyRuleCount returns an error if a group has too many rules for IPv4 or for IPv6. A
// rule with a prefix list counts with the weight of the list. The weight of CloudFront's list is
// 55, so a group can have only one rule with this list.
func (c *Call) verifyRuleCount(group store.Object) error {
	direction := map[string]string{ingressRuleType: "ingress", egressRuleType: "egress"}[c.Row.Token]
	inline := len(Object(group.State).Objects(direction))
	ipv4, ipv6 := inline, inline
	addWeight := func(rule Object) {
		weight := max(1, c.prefixListWeight(rule.String("prefixListId")))
		if !rule.Has("cidrIpv6") {
			ipv4 += weight
		}
		if !rule.Has("cidrIpv4") {
			ipv6 += weight
		}
	}
	addWeight(c.In)
	c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
		if o.ID != c.ID && Object(o.State).String("securityGroupId") == group.ID {
			addWeight(o.State)
		}
		return true
	})
	if n := max(ipv4, ipv6); n > maxRules {
		return refuse("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached: %s would have %d %s rules, and the quota is %d",
			group.ID, n, direction, maxRules)
	}
	return nil
}

// refreshSecurityGroup adds the rules that are separate resources to the inline rules of the
// group, because AWS returns both kinds of rules.
func refreshSecurityGroup(c *Call) error {
	if c.Old == nil {
		return nil
	}
	for direction, token := range map[string]string{"ingress": ingressRuleType, "egress": egressRuleType} {
		separate := []any{}
		c.Tx.Each(c.scope(c.Row), token, func(o store.Object) bool {
			if Object(o.State).String("securityGroupId") == c.ID {
				separate = append(separate, inlineRule(o.State))
			}
			return true
		})
		allRules := slices.Clone(separate)
		for _, r := range c.Old.Objects(direction) {
			same := func(other any) bool {
				return canonicalText(other, sortLists) == canonicalText(map[string]any(r), sortLists)
			}
			if !slices.ContainsFunc(separate, same) {
				allRules = append(allRules, map[string]any(r))
			}
		}
		slices.SortFunc(allRules, func(a, b any) int { return cmp.Compare(canonicalText(a, sortLists), canonicalText(b, sortLists)) })
		if len(allRules) > 0 || c.Out.Has(direction) {
			c.Out[direction] = allRules
		}
	}
	return nil
}

// inlineRule returns a security group rule in the form of an inline rule. The parameter has
// the form of a separate resource.
func inlineRule(o Object) map[string]any {
	out := map[string]any{"protocol": o["ipProtocol"], "fromPort": float64(o.Int("fromPort")), "toPort": float64(o.Int("toPort")), "self": false}
	if s := o.String("description"); s != "" {
		out["description"] = s
	}
	for ruleProp, inlineProp := range map[string]string{"cidrIpv4": "cidrBlocks", "cidrIpv6": "ipv6CidrBlocks", "referencedSecurityGroupId": "securityGroups", "prefixListId": "prefixListIds"} {
		if s := o.String(ruleProp); s != "" {
			out[inlineProp] = []any{s}
		}
	}
	if o.String("referencedSecurityGroupId") == o.String("securityGroupId") {
		delete(out, "securityGroups")
		out["self"] = true
	}
	return out
}

// beforeDeleteSecurityGroup refuses the deletion of the default group of a VPC. With
// revokeRulesOnDelete, it deletes the rules of other groups that refer to this group.
func beforeDeleteSecurityGroup(c *Call) error {
	if c.Old.String("name") == "default" {
		return refuse("CannotDelete", "the specified group: %q name: %q cannot be deleted by a user", c.ID, "default")
	}
	if !c.Old.Bool("revokeRulesOnDelete") {
		return nil
	}
	for _, token := range []string{ingressRuleType, egressRuleType} {
		c.Tx.Each(c.scope(c.Row), token, func(o store.Object) bool {
			if Object(o.State).String("referencedSecurityGroupId") == c.ID {
				c.Tx.Delete(o.Key)
			}
			return true
		})
	}
	return nil
}
