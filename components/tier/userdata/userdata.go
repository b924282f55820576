// Package userdata renders the EC2 user data of a node with Amazon Linux 2023: the
// NodeConfig with which nodeadm joins the node to an EKS cluster
// (awslabs.github.io/amazon-eks-ami/nodeadm). It imports no SDK.
package userdata

import (
	"bytes"
	"fmt"
	"maps"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// MaxPods is the largest number of pods on a node. AWS recommends at most 110
	// for nodes with less than 30 vCPUs (EKS User Guide, "Assign more IP addresses
	// to Amazon EKS nodes with prefixes"). With prefix delegation every node has
	// enough addresses. The default of nodeadm ignores prefix delegation.
	MaxPods = 110
	// criticalGrace is the time in which critical pods must end when the node shuts down: the
	// platform's choice. It begins after scaling.TerminationGrace, in which the services' pods
	// must end.
	criticalGrace = 15 * time.Second
	// boundary is the MIME boundary. It is constant, so that the same node has the
	// same user data and its launch template does not change.
	boundary = "progressive-framework"
)

// Node is the configuration of a node.
type Node struct {
	// ClusterName, Endpoint, CertificateAuthority (base64) and ServiceCIDR describe
	// the cluster.
	ClusterName, Endpoint, CertificateAuthority, ServiceCIDR string
	// Labels and Taints are the labels and taints of the node object.
	Labels map[string]string
	Taints []scaling.Taint
}

// nodeConfig is the NodeConfig object of nodeadm. The types below are its fields.
type nodeConfig struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Spec       spec   `yaml:"spec"`
}

type spec struct {
	Cluster clusterDetails `yaml:"cluster"`
	Kubelet kubelet        `yaml:"kubelet"`
}

type clusterDetails struct {
	Name                 string `yaml:"name"`
	APIServerEndpoint    string `yaml:"apiServerEndpoint"`
	CertificateAuthority string `yaml:"certificateAuthority"`
	CIDR                 string `yaml:"cidr"`
}

type kubelet struct {
	Config kubeletConfig `yaml:"config"`
	Flags  []string      `yaml:"flags,omitempty"`
}

type kubeletConfig struct {
	MaxPods                         int    `yaml:"maxPods"`
	ShutdownGracePeriod             string `yaml:"shutdownGracePeriod"`
	ShutdownGracePeriodCriticalPods string `yaml:"shutdownGracePeriodCriticalPods"`
}

// Render returns the user data as text. EC2 expects it in base64. Render returns an
// error if a field of the cluster is empty, because the node would never join.
func Render(n Node) (string, error) {
	for field, value := range map[string]string{
		"name": n.ClusterName, "endpoint": n.Endpoint, "certificate authority": n.CertificateAuthority, "service CIDR": n.ServiceCIDR,
	} {
		if value == "" {
			return "", fmt.Errorf("user data: the %s of the cluster must not be empty", field)
		}
	}
	config, err := yaml.Marshal(nodeConfig{
		APIVersion: "node.eks.aws/v1alpha1",
		Kind:       "NodeConfig",
		Spec: spec{
			Cluster: clusterDetails{n.ClusterName, n.Endpoint, n.CertificateAuthority, n.ServiceCIDR},
			Kubelet: kubelet{
				Config: kubeletConfig{
					MaxPods:                         MaxPods,
					ShutdownGracePeriod:             (scaling.TerminationGrace + criticalGrace).String(),
					ShutdownGracePeriodCriticalPods: criticalGrace.String(),
				},
				Flags: kubeletFlags(n),
			},
		},
	})
	if err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	return wrapInMIME(config)
}

// kubeletFlags returns the kubelet's flags for the labels and taints of a node.
func kubeletFlags(n Node) []string {
	var flags []string
	if len(n.Labels) > 0 {
		var labels []string
		for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
			labels = append(labels, k+"="+n.Labels[k])
		}
		flags = append(flags, "--node-labels="+strings.Join(labels, ","))
	}
	if len(n.Taints) > 0 {
		var taints []string
		for _, t := range n.Taints {
			taints = append(taints, t.Key+"="+t.Value+":"+t.Effect)
		}
		flags = append(flags, "--register-with-taints="+strings.Join(taints, ","))
	}
	return flags
}

// wrapInMIME wraps the config in the MIME multi-part document that cloud-init and
// nodeadm read.
func wrapInMIME(config []byte) (string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=%q\r\n\r\n", boundary)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/node.eks.aws"}})
	if err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	if _, err := part.Write(append([]byte("---\n"), config...)); err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	return b.String(), nil
}
