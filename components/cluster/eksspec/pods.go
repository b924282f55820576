package eksspec

// Pod has the resource requests of an add-on's pods.
type Pod struct {
	// Name is the name of the workload.
	Name string
	// Count is the number of pods. For NodePods it is the number on each node. For ClusterPods it
	// is the number in the whole cluster.
	Count int
	// CPU and Memory are Kubernetes quantities.
	CPU, Memory string
}

// NodePods returns the pods of add-ons that run on each node, with the requests of
// their charts (amazon-vpc-cni-k8s, eks-charts, aws-ebs-csi-driver,
// secrets-store-csi-driver and its AWS provider).
func NodePods() []Pod {
	return []Pod{
		{"aws-node", 1, "50m", "0"},
		{"kube-proxy", 1, "100m", "0"},
		{PodIdentityAgent, 1, "0", "0"},
		{"ebs-csi-node", 1, "30m", "120Mi"},
		{"secrets-store-csi-driver", 1, "70m", "140Mi"},
		{"secrets-store-csi-driver-provider-aws", 1, "50m", "100Mi"},
	}
}

// ClusterPods returns the pods of add-ons with a fixed number of pods in the cluster, with
// the requests of their charts.
func ClusterPods() []Pod {
	return []Pod{
		{CoreDNS, 2, "100m", "70Mi"},
		{MetricsServer, 2, "100m", "200Mi"},
		{"ebs-csi-controller", 2, "60m", "240Mi"},
	}
}
