// Package userdata writes what an AL2023 node reads at its first start: the
// NodeConfig by which nodeadm joins it to an EKS cluster
// (awslabs.github.io/amazon-eks-ami/nodeadm). It is pure.
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
	// MaxPods is how many pods a node takes. With prefix delegation a node of
	// any size has addresses for as many, and AWS recommends no more below 30
	// vCPUs (EKS User Guide, "Assign more IP addresses to Amazon EKS nodes with
	// prefixes"); nodeadm would count without prefixes.
	MaxPods = 110
	// criticalGrace is what is left for the node's own pods when it shuts
	// down, after the services' pods had theirs.
	criticalGrace = 15 * time.Second
	// boundary parts the document. It is fixed, so that the same node gives
	// the same text and no launch template changes without reason.
	boundary = "progressive-framework"
)

// Node is what is told to a node.
type Node struct {
	// ClusterName, Endpoint, CertificateAuthority (base64) and ServiceCIDR are
	// the cluster's.
	ClusterName, Endpoint, CertificateAuthority, ServiceCIDR string
	// Labels and Taints are those that the node registers with.
	Labels map[string]string
	Taints []scaling.Taint
}

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

// Render gives the user data as text; EC2 takes it in base64. It refuses a
// node that knows only a part of its cluster, which would never join.
func Render(n Node) (string, error) {
	for what, value := range map[string]string{
		"name": n.ClusterName, "endpoint": n.Endpoint, "certificate authority": n.CertificateAuthority, "service CIDR": n.ServiceCIDR,
	} {
		if value == "" {
			return "", fmt.Errorf("user data: the %s of the cluster must not be empty", what)
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
				Flags: flags(n),
			},
		},
	})
	if err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	return message(config)
}

func flags(n Node) []string {
	var all []string
	if len(n.Labels) > 0 {
		var labels []string
		for _, k := range slices.Sorted(maps.Keys(n.Labels)) {
			labels = append(labels, k+"="+n.Labels[k])
		}
		all = append(all, "--node-labels="+strings.Join(labels, ","))
	}
	if len(n.Taints) > 0 {
		var taints []string
		for _, t := range n.Taints {
			taints = append(taints, t.Key+"="+t.Value+":"+t.Effect)
		}
		all = append(all, "--register-with-taints="+strings.Join(taints, ","))
	}
	return all
}

// message wraps the config as cloud-init's and nodeadm's multi-part document.
func message(config []byte) (string, error) {
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
