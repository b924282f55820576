package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	roleType       = "aws:iam/role:Role"
	policyType     = "aws:iam/policy:Policy"
	rolePolicyType = "aws:iam/rolePolicy:RolePolicy"
	attachmentType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	profileType    = "aws:iam/instanceProfile:InstanceProfile"
)

// References to roles and policies. AWS refuses to delete a role with policies. The
// provider removes a role from its instance profile before it deletes the role, so
// toRoleInProfile has no InUseCode.
var (
	toRoleName      = &Ref{To: []string{roleType}, By: []string{"name"}, Noun: "role with name", Missing: "NoSuchEntity", InUseCode: "DeleteConflict"}
	toRoleInProfile = &Ref{To: []string{roleType}, By: []string{"name"}, Noun: "role with name", Missing: "NoSuchEntity"}
	toRoleARN       = &Ref{To: []string{roleType}, By: []string{"arn"}, Noun: "role", Missing: "InvalidParameterException"}
	toPolicy        = &Ref{
		To: []string{policyType}, By: []string{"arn"}, Noun: "policy", Missing: "NoSuchEntity", InUseCode: "DeleteConflict", Predefined: isAWSPolicy,
	}
)

// Default quotas of IAM (IAM/latest/UserGuide/reference_iam-quotas.html). The sizes are in
// characters. The tables of this page were not available, so the numbers are from a public
// summary of 2026. AWS can raise two of the quotas: trust policies to 8192 characters, and
// attached policies to 25. A program must also work in an account with the default quotas.
const (
	maxTrustPolicySize   = 2048
	maxManagedPolicySize = 6144
	maxInlinePolicySize  = 10240
	maxPoliciesPerRole   = 10
)

var entityName = pattern(`[\w+=,.@-]+`, "letters, digits and _+=,.@-")

var entityPath = pattern(`/|/[\x21-\x7e]+/`, "a path that begins and ends with a slash")

// policyPath allows fewer characters than entityPath. The source,
// IAM/latest/APIReference/API_CreatePolicy.html, does not allow an asterisk. It does not
// mention other punctuation, so the stand-in refuses that too.
var policyPath = pattern(`(?:/[A-Za-z0-9.,+@=_-]+)*/`, "a path that begins and ends with a slash, of letters, digits and .,+@=_-")

// roleDescription validates the description of a role
// (IAM/latest/APIReference/API_CreateRole.html). The pattern was not checked against this
// page.
var roleDescription = pattern(`[\t\n\r\x{20}-\x{7E}\x{A1}-\x{FF}]*`, "Latin-1 text")

var _ = registerRows(
	&Row{
		Token:  roleType,
		Source: "iam/role.go", Page: "IAM/latest/APIReference/API_CreateRole.html",
		Label: "IAM Role", Global: true, ID: "{name}", NotFound: "NoSuchEntity",
		ExistsCode: "EntityAlreadyExists", ExistsText: "Role with name {name} already exists.",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 64},
		Props: Props{
			"name":                  {Replace: true, Computed: true, Valid: all(length(1, 64), entityName)},
			"namePrefix":            {Replace: true, Computed: true, Valid: all(length(1, 38), entityName)},
			"path":                  {Replace: true, Default: "/", Valid: all(length(1, 512), entityPath)},
			"assumeRolePolicy":      {JSON: true, Valid: policyDocument(trustPolicy, maxTrustPolicySize)},
			"description":           {Valid: all(length(0, 1000), roleDescription)},
			"forceDetachPolicies":   {Default: false},
			"maxSessionDuration":    {Default: 3600.0},
			"permissionsBoundary":   {Valid: checkARN, Ref: &Ref{To: toPolicy.To, By: toPolicy.By, Noun: "policy", Missing: "NoSuchEntity", InUseCode: "DeleteConflict", Predefined: isAWSPolicy}},
			"managedPolicyArns":     {Set: true, Computed: true, Valid: checkARN, Max: maxPoliciesPerRole, Ref: toPolicy},
			"inlinePolicies":        {Set: true, Computed: true},
			"inlinePolicies.name":   {Required: true, Valid: all(length(1, 128), entityName)},
			"inlinePolicies.policy": {Required: true, JSON: true, Valid: policyDocument(identityPolicy, maxInlinePolicySize)},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:iam::{account}:role{path}{name}"},
		Verify: func(c *Call) error {
			if err := verifyUniqueName(c); err != nil {
				return err
			}
			return c.verifyPrincipals("assumeRolePolicy", "MalformedPolicyDocument", "Invalid principal in policy")
		},
		Fill:         func(c *Call) error { return fillEntity(c, "uniqueId", "AROA{id17}") },
		Refresh:      refreshRole,
		BeforeDelete: beforeDeleteRole,
	},
	&Row{
		Token:  policyType,
		Source: "iam/policy.go", Page: "IAM/latest/APIReference/API_CreatePolicy.html",
		Label: "IAM Policy", Global: true, NotFound: "NoSuchEntity",
		ExistsCode: "EntityAlreadyExists", ExistsText: "A policy called {name} already exists. Duplicate names are not allowed.",
		NewID:  func(c *Call) (string, error) { return c.expand("arn:{partition}:iam::{account}:policy{path}{name}") },
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 128},
		Props: Props{
			"name":        {Replace: true, Computed: true, Valid: all(length(1, 128), entityName)},
			"namePrefix":  {Replace: true, Computed: true, Valid: all(length(1, 102), entityName)},
			"path":        {Replace: true, Default: "/", Valid: all(length(1, 512), policyPath)},
			"description": {Replace: true, Valid: length(0, 1000)},
			"policy":      {JSON: true, Valid: policyDocument(identityPolicy, maxManagedPolicySize)},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "{id}"},
		Verify:    verifyUniqueName,
		Fill: func(c *Call) error {
			if c.Old != nil {
				return nil
			}
			id, err := c.expand("ANPA{id17}")
			c.Out["policyId"] = id
			return err
		},
		Refresh: func(c *Call) error {
			attachmentCount := 0
			c.Tx.Each(c.scope(c.Row), attachmentType, func(o store.Object) bool {
				if Object(o.State).String("policyArn") == c.ID {
					attachmentCount++
				}
				return true
			})
			c.Out["attachmentCount"] = float64(attachmentCount)
			return nil
		},
	},
	&Row{
		Token:  rolePolicyType,
		Source: "iam/role_policy.go", Page: "IAM/latest/APIReference/API_PutRolePolicy.html",
		Label: "IAM Role Policy", Global: true, ID: "{role}:{name}", NotFound: "NoSuchEntity", Put: true,
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 128},
		Props: Props{
			"name":       {Replace: true, Computed: true, Valid: all(length(1, 128), entityName)},
			"namePrefix": {Replace: true, Computed: true, Valid: all(length(1, 102), entityName)},
			"role":       {Replace: true, Ref: toRoleName},
			"policy":     {JSON: true, Valid: policyDocument(identityPolicy, maxInlinePolicySize)},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Verify:    verifyInlineSize,
	},
	&Row{
		Token:  attachmentType,
		Source: "iam/role_policy_attachment.go", Page: "IAM/latest/APIReference/API_AttachRolePolicy.html",
		// The id is the one that an import expects. The provider's own id contains the
		// time, so no program can depend on that id.
		Label: "IAM Role Policy Attachment", Global: true, ID: "{role}/{policyArn}", NotFound: "NoSuchEntity", Put: true,
		// Otherwise the deletion of the old resource would detach the policy that the
		// replacement has attached.
		DeleteBeforeReplace: true,
		Props: Props{
			"role":      {Replace: true, Ref: toRoleName},
			"policyArn": {Replace: true, Valid: checkARN, Ref: toPolicy},
		},
		Verify: verifyAttachmentQuota,
	},
	&Row{
		Token:  profileType,
		Source: "iam/instance_profile.go", Page: "IAM/latest/APIReference/API_CreateInstanceProfile.html",
		Label: "IAM Instance Profile", Global: true, ID: "{name}", NotFound: "NoSuchEntity",
		ExistsCode: "EntityAlreadyExists", ExistsText: "Instance Profile {name} already exists.",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 128},
		Props: Props{
			"name":       {Replace: true, Computed: true, Valid: all(length(1, 128), entityName)},
			"namePrefix": {Replace: true, Computed: true, Valid: all(length(1, 102), entityName)},
			"path":       {Replace: true, Default: "/", Valid: all(length(1, 512), entityPath)},
			"role":       {Ref: toRoleInProfile},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Verify:    verifyUniqueName,
		Outputs:   map[string]string{"arn": "arn:{partition}:iam::{account}:instance-profile{path}{name}"},
		Fill:      func(c *Call) error { return fillEntity(c, "uniqueId", "AIPA{id17}") },
	},
	&Row{
		Token:  "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
		Source: "iam/openid_connect_provider.go", Page: "IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html",
		Label: "IAM OIDC Provider", Global: true, NotFound: "NoSuchEntity",
		ExistsCode: "EntityAlreadyExists", ExistsText: "Provider with url {url} already exists.",
		NewID: func(c *Call) (string, error) {
			return fmt.Sprintf("arn:%s:iam::%s:oidc-provider/%s", c.Partition, c.Account, strings.TrimPrefix(c.In.String("url"), "https://")), nil
		},
		Props: Props{
			"url": {
				Replace: true, Valid: all(length(1, 255), pattern(`https://[^\s?#]+`, "an https URL without query")),
				Same: func(a, b string) bool { return strings.TrimPrefix(a, "https://") == strings.TrimPrefix(b, "https://") },
			},
			"clientIdLists": {Set: true, Min: 1, Max: 100},
			// With an empty list, the provider shows a difference at every preview. So the
			// stand-in refuses it.
			"thumbprintLists": {Computed: true, Min: 1, Max: 5, Valid: pattern(`[0-9a-fA-F]{40}`, "40 hexadecimal digits")},
		},
		Outputs: map[string]string{"arn": "{id}"},
		Fill: func(c *Call) error {
			c.Out["url"] = strings.TrimPrefix(c.In.String("url"), "https://") // as AWS returns it
			if !c.Out.Has("thumbprintLists") {
				thumbprint, err := randomHex(40)
				if err != nil {
					return err
				}
				c.Out["thumbprintLists"] = []any{thumbprint}
			}
			return nil
		},
	},
)

// fillEntity sets the unique id and the creation time of a new IAM entity. property is the
// output with the id. template is the id's template.
func fillEntity(c *Call, property, template string) error {
	if c.Old != nil {
		return nil
	}
	id, err := c.expand(template)
	if err != nil {
		return err
	}
	c.Out[property] = id
	c.Out["createDate"] = c.Now().UTC().Format(time.RFC3339)
	return nil
}

// refreshRole sets managedPolicyArns to all policies of the role, as AWS returns them. They
// include the policies that are attached by resources of the type attachmentType.
func refreshRole(c *Call) error {
	if c.Old == nil {
		return nil
	}
	arns := c.attachedPolicies(c.Out.String("name"))
	for _, listed := range c.Old.Strings("managedPolicyArns") {
		if !slices.Contains(arns, listed) {
			arns = append(arns, listed)
		}
	}
	slices.Sort(arns)
	list := make([]any, len(arns))
	for i, arn := range arns {
		list[i] = arn
	}
	if len(list) > 0 || c.Out.Has("managedPolicyArns") {
		c.Out["managedPolicyArns"] = list
	}
	return nil
}

// attachedPolicies returns the ARNs of the policies that are attached to a role by resources of
// the type attachmentType.
func (c *Call) attachedPolicies(role string) []string {
	var out []string
	c.Tx.Each(c.scope(rows[attachmentType]), attachmentType, func(o store.Object) bool {
		if Object(o.State).String("role") == role {
			out = append(out, Object(o.State).String("policyArn"))
		}
		return true
	})
	return out
}

// verifyUniqueName returns an error if an entity of the same type has the name already. To
// AWS, names that differ only in letter case or path are equal
// (IAM/latest/APIReference/API_CreateRole.html, API_CreatePolicy.html and
// API_CreateInstanceProfile.html).
func verifyUniqueName(c *Call) error {
	if c.Old != nil {
		return nil
	}
	exists := false
	c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
		exists = strings.EqualFold(Object(o.State).String("name"), c.In.String("name"))
		return !exists
	})
	if exists {
		return c.alreadyExistsError()
	}
	return nil
}

// beforeDeleteRole does what the provider does before it deletes a role. It removes the role
// from instance profiles. It detaches the managed policies if forceDetachPolicies is set,
// or if the role has the property managedPolicyArns. It deletes the inline policies if
// forceDetachPolicies is set, or if the role has the property inlinePolicies.
func beforeDeleteRole(c *Call) error {
	c.Tx.Each(c.scope(c.Row), profileType, func(o store.Object) bool {
		if profile, ok := c.Tx.Get(o.Key); ok && Object(profile.State).String("role") == c.ID {
			delete(profile.State, "role")
			c.Tx.Put(profile)
		}
		return true
	})
	for token, property := range map[string]string{attachmentType: "managedPolicyArns", rolePolicyType: "inlinePolicies"} {
		if list, _ := c.Old[property].([]any); !c.Old.Bool("forceDetachPolicies") && len(list) == 0 {
			continue
		}
		c.Tx.Each(c.scope(c.Row), token, func(o store.Object) bool {
			if Object(o.State).String("role") == c.ID {
				c.Tx.Delete(o.Key)
			}
			return true
		})
	}
	return nil
}

// verifyAttachmentQuota returns an error if the role would have more than maxPoliciesPerRole
// attached policies.
func verifyAttachmentQuota(c *Call) error {
	role := c.In.String("role")
	others := slices.DeleteFunc(c.attachedPolicies(role), func(arn string) bool { return arn == c.In.String("policyArn") })
	if len(others) >= maxPoliciesPerRole {
		return refuse("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", maxPoliciesPerRole)
	}
	return nil
}

// verifyInlineSize returns an error if the inline policies of a role together have more than
// maxInlinePolicySize characters. White space does not count.
func verifyInlineSize(c *Call) error {
	total := len(strings.Map(dropSpace, c.In.String("policy")))
	c.Tx.Each(c.scope(c.Row), rolePolicyType, func(o store.Object) bool {
		other := Object(o.State)
		if other.String("role") == c.In.String("role") && other.String("name") != c.In.String("name") {
			total += len(strings.Map(dropSpace, other.String("policy")))
		}
		return true
	})
	if total > maxInlinePolicySize {
		return refuse("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", maxInlinePolicySize, c.In.String("role"))
	}
	return nil
}

// awsPolicies are the AWS managed policies that the platform may use. On 2026-11-23 each
// name was found in aws-managed-policy/latest/reference/policy-list.html, in
// eks/latest/userguide/security-iam-awsmanpol.html, or by its ARN in public programs.
var awsPolicies = []string{
	"AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly", "AmazonEKSBlockStoragePolicy", "AmazonEKSClusterPolicy",
	"AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy", "AmazonEKSServicePolicy",
	"AmazonEKSVPCResourceController", "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy",
	"AdministratorAccess", "AmazonEBSCSIDriverPolicyV2", "AmazonS3ReadOnlyAccess", "AmazonSSMManagedInstanceCore", "AWSXRayDaemonWriteAccess",
	"CloudWatchAgentServerPolicy", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit",
	"service-role/AmazonEBSCSIDriverPolicy", "service-role/AmazonEFSCSIDriverPolicy", "service-role/AmazonRDSEnhancedMonitoringRole",
	"service-role/AWSLambdaBasicExecutionRole", "service-role/AutoScalingNotificationAccessRole",
}

// isAWSPolicy reports whether a value is the ARN of an AWS managed policy.
func isAWSPolicy(value string) bool {
	_, name, ok := strings.Cut(value, ":iam::aws:policy/")
	return ok && slices.Contains(awsPolicies, name)
}

// inlinePolicyIDs returns the ids of the inline policies of a role that are separate
// resources.
func (c *Call) inlinePolicyIDs(role string) []string {
	var out []string
	c.Tx.Each(c.scope(rows[rolePolicyType]), rolePolicyType, func(o store.Object) bool {
		if Object(o.State).String("role") == role {
			out = append(out, o.ID)
		}
		return true
	})
	return out
}
