package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/addon"
	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	accessEntryType = "aws:eks/accessEntry:AccessEntry"
	podIdentityType = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
)

// toCluster is a reference to a cluster. The deletion of the cluster also deletes the
// resource that has the reference.
var toCluster = &Ref{To: []string{clusterType}, By: []string{"name"}, Noun: "cluster", Missing: "ResourceNotFoundException", DeletedWith: true}

// eksAddons are the add-ons of AWS and of the community:
// eks/latest/userguide/workloads-add-ons-available-eks.html and community-addons.html,
// as of late 2025, read on 2026-11-23. The provider of the Secrets Store CSI driver is
// from AWS's announcements of November 2025 and from public source code.
var eksAddons = []string{
	"adot", "amazon-cloudwatch-observability", "aws-ebs-csi-driver", "aws-efs-csi-driver", "aws-fsx-csi-driver", "aws-guardduty-agent",
	"aws-mountpoint-s3-csi-driver", "aws-network-flow-monitoring-agent", "aws-privateca-connector-for-kubernetes",
	"aws-secrets-store-csi-driver-provider", "cert-manager", "coredns",
	"eks-node-monitoring-agent", "eks-pod-identity-agent", "external-dns", "fluent-bit", "kube-proxy", "kube-state-metrics", "metrics-server",
	"prometheus-node-exporter", "snapshot-controller", "vpc-cni",
}

// eksSteppedAddons are add-ons that can be updated only by one minor version at a time
// (workloads-add-ons-available-eks.html). EKS's error for a larger step is not known.
var eksSteppedAddons = []string{"eks-pod-identity-agent", "vpc-cni"}

// eksAccessPolicies are the access policies for users:
// eks/latest/userguide/access-policy-permissions.html, as of 2025, read on 2026-11-23.
// The stand-in does not support the policies of Auto Mode and of AWS's own roles yet.
var eksAccessPolicies = []string{
	"AmazonEKSAdminPolicy", "AmazonEKSAdminViewPolicy", "AmazonEKSClusterAdminPolicy", "AmazonEKSEditPolicy", "AmazonEKSSecretReaderPolicy",
	"AmazonEKSViewPolicy",
}

var _ = registerRows(
	&Row{
		Token:  accessEntryType,
		Source: "eks/access_entry.go", Page: "eks/latest/userguide/creating-access-entries.html",
		Label: "EKS Access Entry", ID: "{clusterName}:{principalArn}", NotFound: "ResourceNotFoundException",
		ExistsCode: "ResourceInUseException", ExistsText: "The specified access entry resource is already in use on this cluster.",
		Props: Props{
			"clusterName":      {Replace: true, Valid: checkClusterName, Ref: toCluster},
			"principalArn":     {Replace: true, Valid: checkARN, Ref: toRoleARN},
			"type":             {Replace: true, Default: "STANDARD", Enum: []string{"STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2"}},
			"userName":         {Computed: true, Valid: checkNotReservedByEKS},
			"kubernetesGroups": {Set: true, Computed: true, Valid: checkNotReservedByEKS},
		},
		Check: func(in Object, fail Fail) {
			if !in.Has("type") || !in.Known("type") || in.String("type") == "STANDARD" {
				return
			}
			for _, name := range []string{"kubernetesGroups", "userName"} {
				if in.Has(name) {
					fail(name, "AWS chooses it for type %s", in.String("type"))
				}
			}
		},
		Verify: verifyAccessEntry,
		Fill: func(c *Call) error {
			isForNodes := c.In.String("type") != "STANDARD" && c.In.String("type") != "EC2"
			if !c.Out.Has("userName") {
				role, _ := c.referencedObject("principalArn")
				c.Out["userName"] = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/{{SessionName}}", c.Partition, c.Account, Object(role.State).String("name"))
				if isForNodes {
					c.Out["userName"] = "system:node:{{EC2PrivateDNSName}}"
				}
			}
			if !c.Out.Has("kubernetesGroups") {
				c.Out["kubernetesGroups"] = []any{}
				if isForNodes {
					c.Out["kubernetesGroups"] = []any{"system:nodes"}
				}
			}
			if c.Old == nil {
				entryARN, err := c.expand("arn:{partition}:eks:{region}:{account}:access-entry/{clusterName}/role/{account}/{uuid}")
				if err != nil {
					return err
				}
				c.Out["accessEntryArn"] = entryARN
			}
			return setTimes(c, "createdAt", "modifiedAt")
		},
		Volatile: []string{"modifiedAt"},
	},
	&Row{
		Token:  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
		Source: "eks/access_policy_association.go", Page: "eks/latest/userguide/access-policies.html",
		Label: "EKS Access Policy Association", ID: "{clusterName}#{principalArn}#{policyArn}", NotFound: "ResourceNotFoundException", Put: true,
		Props: Props{
			"clusterName": {Replace: true, Valid: checkClusterName, Ref: toCluster},
			"principalArn": {Replace: true, Valid: checkARN, Ref: &Ref{
				To: []string{accessEntryType}, By: []string{"principalArn"}, Within: "clusterName", Noun: "access entry for", Missing: "ResourceNotFoundException", DeletedWith: true,
			}},
			"policyArn":              {Replace: true, Valid: checkAccessPolicy},
			"accessScope":            {Replace: true},
			"accessScope.type":       {Replace: true},
			"accessScope.namespaces": {Replace: true, Set: true},
		},
		Check: func(in Object, fail Fail) {
			scope := in.Object("accessScope")
			if scope.Known("type") && (scope.String("type") == "namespace") != scope.Has("namespaces") {
				fail("accessScope.namespaces", "must be given for the type namespace, and for no other type")
			}
		},
		Verify: func(c *Call) error {
			entryID := c.In.String("clusterName") + ":" + c.In.String("principalArn")
			o, ok := c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: accessEntryType, ID: entryID})
			if !ok {
				return refuse("ResourceNotFoundException", "The specified principalArn could not be found: create an access entry first (%s)", entryID)
			}
			if kind := Object(o.State).String("type"); kind != "STANDARD" {
				return refuse("InvalidRequestException", "Access policies are for access entries of type STANDARD; %s is %s, and EKS grants it what it needs", entryID, kind)
			}
			return nil
		},
		Fill: func(c *Call) error { return setTimes(c, "associatedAt", "modifiedAt") },
	},
	&Row{
		Token:  "aws:eks/addon:Addon",
		Source: "eks/addon.go", Page: "eks/latest/APIReference/API_CreateAddon.html",
		Label: "EKS Add-On", ID: "{clusterName}:{addonName}", NotFound: "ResourceNotFoundException",
		ExistsCode: "ResourceInUseException", ExistsText: "Addon already exists.",
		Props: Props{
			"clusterName":                            {Replace: true, Valid: checkClusterName, Ref: toCluster},
			"addonName":                              {Replace: true, Enum: eksAddons},
			"addonVersion":                           {Required: true, Valid: pattern(`v\d+\.\d+\.\d+-eksbuild\.\d+`, "a version as in v1.2.3-eksbuild.1; aws eks describe-addon-versions lists the current versions")},
			"configurationValues":                    {Computed: true, JSON: true},
			"preserve":                               {},
			"resolveConflictsOnCreate":               {Enum: []string{"NONE", "OVERWRITE"}},
			"resolveConflictsOnUpdate":               {},
			"resolveConflicts":                       {Refuse: "deprecated; use resolveConflictsOnCreate and resolveConflictsOnUpdate"},
			"serviceAccountRoleArn":                  {Valid: checkARN, Ref: toRoleARN},
			"podIdentityAssociations":                {Set: true},
			"podIdentityAssociations.roleArn":        {Valid: checkARN, Ref: toRoleARN},
			"podIdentityAssociations.serviceAccount": {},
		},
		AtMostOne: [][]string{{"serviceAccountRoleArn", "podIdentityAssociations"}},
		Verify: func(c *Call) error {
			cluster, _ := c.referencedObject("clusterName")
			version := clusterVersion(cluster.State, c.Now())
			if err := verifyAddonConfiguration(c.In.String("addonName"), c.In.String("configurationValues")); err != nil {
				return err
			}
			if err := verifyAddonVersion(c.In.String("addonName"), c.In.String("addonVersion"), version); err != nil {
				return err
			}
			oldVersion, newVersion := c.Old.String("addonVersion"), c.In.String("addonVersion")
			oldMinor, newMinor := minorVersion(oldVersion), minorVersion(newVersion)
			steps := max(newMinor-oldMinor, oldMinor-newMinor)
			if oldVersion != "" && slices.Contains(eksSteppedAddons, c.In.String("addonName")) && steps > 1 {
				return refuse("InvalidParameterException", "%s can be updated by one minor version at a time: %s to %s", c.In.String("addonName"), oldVersion, newVersion)
			}
			for _, role := range c.referencedObjects("podIdentityAssociations.roleArn") {
				if !trusts(role, podIdentityService) {
					return untrustedRoleError(role)
				}
			}
			return nil
		},
		Fill: func(c *Call) error {
			if c.Old == nil {
				addonARN, err := c.expand("arn:{partition}:eks:{region}:{account}:addon/{clusterName}/{addonName}/{uuid}")
				if err != nil {
					return err
				}
				c.Out["arn"] = addonARN
			}
			if err := addon.Install(c.Context, c.In.String("addonName"), c.Layout.Kubeconfig()); err != nil {
				return err
			}
			return setTimes(c, "createdAt", "modifiedAt")
		},
		Volatile: []string{"modifiedAt"},
	},
	&Row{
		Token:  podIdentityType,
		Source: "eks/pod_identity_association.go", Page: "eks/latest/APIReference/API_CreatePodIdentityAssociation.html",
		Label: "EKS Pod Identity Association", NotFound: "ResourceNotFoundException",
		NewID: func(c *Call) (string, error) {
			id, err := randomID(17)
			return "a-" + strings.ToLower(id), err
		},
		Props: Props{
			"clusterName":    {Replace: true, Valid: checkClusterName, Ref: toCluster},
			"namespace":      {Replace: true, Valid: pattern(`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`, "a namespace's name")},
			"serviceAccount": {Replace: true, Valid: pattern(`[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?`, "a service account's name")},
			"roleArn":        {Valid: checkARN, Ref: toRoleARN},
		},
		Unique: []Unique{{
			Props: []string{"clusterName", "namespace", "serviceAccount"}, Code: "ResourceInUseException",
			Message: "Association already exists for {namespace}/{serviceAccount}",
		}},
		Outputs: map[string]string{
			"associationId":  "{id}",
			"associationArn": "arn:{partition}:eks:{region}:{account}:podidentityassociation/{clusterName}/{id}",
		},
		Verify: func(c *Call) error {
			if role, ok := c.referencedObject("roleArn"); ok && !trusts(role, podIdentityService) {
				return untrustedRoleError(role)
			}
			return nil
		},
	},
)

const podIdentityService = "pods.eks.amazonaws.com"

// checkNotReservedByEKS returns a message for a name that is reserved for Kubernetes or AWS
// (eks/latest/userguide/access-entries.html and API_CreateAccessEntry.html).
var checkNotReservedByEKS = all(withoutPrefix("system:"), withoutPrefix("eks:"), withoutPrefix("aws:"), withoutPrefix("amazon:"), withoutPrefix("iam:"))

// untrustedRoleError returns EKS's error for a role that EKS Pod Identity cannot assume.
func untrustedRoleError(role store.Object) error {
	return refuse("InvalidParameterException", "Trust policy of role %s is incorrect: it must let %s assume it (sts:AssumeRole, sts:TagSession)",
		Object(role.State).String("arn"), podIdentityService)
}

// checkAccessPolicy returns a message unless v is the ARN of one of eksAccessPolicies.
func checkAccessPolicy(v any) string {
	s, _ := v.(string)
	_, name, ok := strings.Cut(s, ":eks::aws:cluster-access-policy/")
	if !ok || !slices.Contains(eksAccessPolicies, name) {
		return fmt.Sprintf("%q must be arn:aws:eks::aws:cluster-access-policy/ with one of %s", s, strings.Join(eksAccessPolicies, ", "))
	}
	return ""
}

// verifyAccessEntry returns an error for an access entry if the authentication mode of the cluster
// does not use access entries.
func verifyAccessEntry(c *Call) error {
	cluster, _ := c.referencedObject("clusterName")
	if mode := Object(cluster.State).Object("accessConfig").String("authenticationMode"); mode == "CONFIG_MAP" {
		return refuse("InvalidRequestException", "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.")
	}
	return nil
}

// setTimes sets the times of the creation and of the last change. created and changed are
// the names of the two outputs.
func setTimes(c *Call, created, changed string) error {
	now := c.Now().UTC().Format(time.RFC3339)
	if c.Old == nil {
		c.Out[created] = now
	}
	c.Out[changed] = now
	return nil
}
