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

// applicationNode returns a node of the application tier.
func applicationNode() Node {
	return Node{
		ClusterName: "progressive-framework-prod", Endpoint: "https://ABC.gr7.us-east-1.eks.amazonaws.com",
		CertificateAuthority: "Y2VydGlmaWNhdGVBdXRob3JpdHk=", ServiceCIDR: "172.20.0.0/16",
		Labels: scaling.ApplicationNodes().Labels,
	}
}

func TestRenderMatchesTheGoldenFile(t *testing.T) {
	want, err := os.ReadFile("testdata/application.mime")
	require.NoError(t, err)
	text, err := Render(applicationNode())
	require.NoError(t, err)
	require.Equal(t, string(want), strings.ReplaceAll(text, "\r\n", "\n"))
}

// Go's mail and MIME packages can parse the document.
func TestRenderIsAMultipartDocument(t *testing.T) {
	text, err := Render(applicationNode())
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
	require.Less(t, len(text), 16*1024, "EC2 allows 16 KB")
}

func TestRenderReturnsTheSameTextEachTime(t *testing.T) {
	first, err := Render(applicationNode())
	require.NoError(t, err)
	for range 50 {
		again, err := Render(applicationNode())
		require.NoError(t, err)
		require.Equal(t, first, again, "the order of a map must not change the launch template")
	}
}

func TestTaintsAreKubeletFlags(t *testing.T) {
	n := applicationNode()
	n.Labels, n.Taints = nil, []scaling.Taint{{Key: "dedicated", Value: "web", Effect: "NoSchedule"}, {Key: "spot", Value: "true", Effect: "PreferNoSchedule"}}
	text, err := Render(n)
	require.NoError(t, err)
	require.Contains(t, text, "--register-with-taints=dedicated=web:NoSchedule,spot=true:PreferNoSchedule")
	require.NotContains(t, text, "--node-labels")
}

func TestRenderRefusesEmptyFields(t *testing.T) {
	for field, change := range map[string]func(*Node){
		"name":                  func(n *Node) { n.ClusterName = "" },
		"endpoint":              func(n *Node) { n.Endpoint = "" },
		"certificate authority": func(n *Node) { n.CertificateAuthority = "" },
		"service CIDR":          func(n *Node) { n.ServiceCIDR = "" },
	} {
		n := applicationNode()
		change(&n)
		_, err := Render(n)
		require.ErrorContains(t, err, "the "+field+" of the cluster must not be empty")
	}
}
