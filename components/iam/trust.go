package iam

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
)

// Trust is the AWS service that may assume a role, and the conditions for it.
type Trust struct {
	service    string
	tagSession bool // the service may also set session tags
	conditions []Condition
}

// deputyServices are services through which another account could use the role (the confused
// deputy problem). The trust policy of such a service has a condition on
// aws:SourceAccount, the account for which the service acts. Sources: the guides of VPC
// flow logs and RDS Enhanced Monitoring, pages on the confused deputy.
var deputyServices = map[string]bool{
	"vpc-flow-logs.amazonaws.com":  true,
	"monitoring.rds.amazonaws.com": true,
}

// Service returns a Trust with which an AWS service such as "ec2.amazonaws.com" may assume the
// role.
func Service(name string) Trust {
	return Trust{service: name, tagSession: name == "eks.amazonaws.com"} // EKS User Guide, "Cluster IAM role"
}

// Pod returns the trust that lets pods assume the role through EKS Pod Identity. The pods must have
// the service account, in the namespace of the cluster. Source: EKS User Guide, "Create IAM role
// with trust policy required by EKS Pod Identity".
func Pod(cluster, namespace pulumi.StringInput, serviceAccount string) Trust {
	return Trust{service: "pods.eks.amazonaws.com", tagSession: true, conditions: []Condition{
		Equals("aws:RequestTag/eks-cluster-name", cluster),
		Equals("aws:RequestTag/kubernetes-namespace", namespace),
		Equals("aws:RequestTag/kubernetes-service-account", pulumi.String(serviceAccount)),
	}}
}

// statement returns the only statement of the trust policy.
func (t Trust) statement(a *account.Account) Statement {
	s := Statement{
		Sid:        "Assume",
		Principals: []Principal{ServicePrincipal(t.service)},
		Actions:    []string{"sts:AssumeRole"},
		Conditions: t.conditions,
	}
	if t.tagSession {
		s.Actions = append(s.Actions, "sts:TagSession")
	}
	if deputyServices[t.service] {
		s.Conditions = append(s.Conditions, Equals("aws:SourceAccount", a.ID))
	}
	return s
}
