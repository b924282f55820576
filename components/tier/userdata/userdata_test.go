package userdata

import (
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
)

func node() Node {
	return Node{
		ClusterName: "progressive-framework-prod", Endpoint: "https://ABC.gr7.us-east-1.eks.amazonaws.com",
		CertificateAuthority: "Y2VydGlmaWNhdGVBdXRob3JpdHk=", ServiceCIDR: "172.20.0.0/16",
		Labels: scaling.ApplicationNodes().Labels,
	}
}

func TestGolden(t *testing.T) {
	want, err := os.ReadFile("testdata/application.mime")
	require.NoError(t, err)
	have, err := Render(node())
	require.NoError(t, err)
	require.Equal(t, string(want), strings.ReplaceAll(have, "\r\n", "\n"))
}

// What a mail reader finds in it is what nodeadm finds.
func TestIsMultipart(t *testing.T) {
	text, err := Render(node())
	require.NoError(t, err)
	m, err := mail.ReadMessage(strings.NewReader(text))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/mixed", kind)
	r := multipart.NewReader(m.Body, params["boundary"])
	part, err := r.NextPart()
	require.NoError(t, err)
	require.Equal(t, "application/node.eks.aws", part.Header.Get("Content-Type"))
	body, err := io.ReadAll(part)
	require.NoError(t, err)
	require.Contains(t, string(body), "kind: NodeConfig")
	_, err = r.NextPart()
	require.ErrorIs(t, err, io.EOF)
	require.Less(t, len(text), 16*1024, "EC2 takes 16 kB")
}

func TestRenderIsStable(t *testing.T) {
	first, err := Render(node())
	require.NoError(t, err)
	for range 50 {
		again, err := Render(node())
		require.NoError(t, err)
		require.Equal(t, first, again, "the order of a map must not make a new launch template")
	}
}

func TestTaints(t *testing.T) {
	n := node()
	n.Labels, n.Taints = nil, []scaling.Taint{{Key: "dedicated", Value: "web", Effect: "NoSchedule"}, {Key: "spot", Value: "true", Effect: "PreferNoSchedule"}}
	text, err := Render(n)
	require.NoError(t, err)
	require.Contains(t, text, "--register-with-taints=dedicated=web:NoSchedule,spot=true:PreferNoSchedule")
	require.NotContains(t, text, "--node-labels")
}

func TestRenderRefusesHalfACluster(t *testing.T) {
	for what, change := range map[string]func(*Node){
		"name":                  func(n *Node) { n.ClusterName = "" },
		"endpoint":              func(n *Node) { n.Endpoint = "" },
		"certificate authority": func(n *Node) { n.CertificateAuthority = "" },
		"service CIDR":          func(n *Node) { n.ServiceCIDR = "" },
	} {
		n := node()
		change(&n)
		_, err := Render(n)
		require.ErrorContains(t, err, "the "+what+" of the cluster must not be empty")
	}
}
