package remotewrite

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/kubernetes" // the loader refuses discoveries that are not linked
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/stretchr/testify/require"
)

const (
	// goldenFile is the file that components/prometheus/scrape renders for a workspace in region.
	goldenFile = "../../../../components/prometheus/scrape/testdata/prometheus.json"
	region     = "eu-west-1"

	accessKey, secretKey = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	// sessionToken is needed, because the credentials of EKS Pod Identity are temporary.
	sessionToken = "session-token"
)

// authorizationPattern matches the header Authorization of AWS Signature Version 4 (IAM User Guide,
// "Create a signed AWS API request").
var authorizationPattern = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/((\d{8})/([^/]+)/([^/]+)/aws4_request), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)

// checkSignature returns an error if the workspace would refuse the request: without a signature, for
// another service or region, or with a wrong signature. It computes the signature without AWS' SDK.
func checkSignature(r *http.Request, body []byte) error {
	groups := authorizationPattern.FindStringSubmatch(r.Header.Get("Authorization"))
	if groups == nil {
		return fmt.Errorf("the request is not signed: Authorization is %q", r.Header.Get("Authorization"))
	}
	keyID, scope, day, signedRegion, service, headerList, signature := groups[1], groups[2], groups[3], groups[4], groups[5], groups[6], groups[7]
	signedHeaders := strings.Split(headerList, ";")
	if keyID != accessKey || signedRegion != region || service != "aps" {
		return fmt.Errorf("signed with %s for %s of %s, must be %s for aps of %s", keyID, service, signedRegion, accessKey, region)
	}
	for _, name := range []string{"host", "x-amz-date", "x-amz-security-token"} {
		if !slices.Contains(signedHeaders, name) {
			return fmt.Errorf("header %s is not signed", name)
		}
	}
	if date := r.Header.Get("X-Amz-Date"); !strings.HasPrefix(date, day+"T") {
		return fmt.Errorf("X-Amz-Date is %q, must be of the signature's day %s", date, day)
	}
	canonical := []string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery}
	for _, name := range signedHeaders {
		value := strings.Join(r.Header.Values(name), ",")
		switch name { // net/http removes these two headers from r.Header
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		canonical = append(canonical, name+":"+strings.TrimSpace(value))
	}
	canonical = append(canonical, "", headerList, hexSHA256(body))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, hexSHA256([]byte(strings.Join(canonical, "\n")))}, "\n")
	key := []byte("AWS4" + secretKey)
	for _, part := range strings.Split(scope, "/") {
		key = hmacSHA256(key, part)
	}
	if want := hex.EncodeToString(hmacSHA256(key, toSign)); signature != want {
		return errors.New("the signature does not match")
	}
	return nil
}

func hexSHA256(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = io.WriteString(m, text)
	return m.Sum(nil)
}

// Prometheus' loader accepts the whole configuration file. A request of its remote write client has
// a valid signature for the workspace's region, even if the pod is in another region.
func TestRequestsToTheWorkspaceAreSigned(t *testing.T) {
	missingFile := filepath.Join(t.TempDir(), "missing")
	for name, value := range map[string]string{
		"POD_NAME":          "prometheus-0",
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_SESSION_TOKEN": sessionToken, "AWS_REGION": "us-west-2",
		"AWS_CONFIG_FILE": missingFile, "AWS_SHARED_CREDENTIALS_FILE": missingFile, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	for _, tc := range []struct {
		reason string
		change func(*config.RemoteWriteConfig)
		// refusal is in the workspace's error. It is empty if the workspace accepts the request.
		refusal string
	}{
		{"as rendered", func(*config.RemoteWriteConfig) {}, ""},
		{"without sigv4", func(c *config.RemoteWriteConfig) { c.SigV4Config = nil }, "is not signed"},
		{"for the pod's region", func(c *config.RemoteWriteConfig) { c.SigV4Config.Region = "" }, "aps of us-west-2"},
		{"for another service", func(c *config.RemoteWriteConfig) { c.SigV4Config.ServiceName = "es" }, "for es of"},
		{"without the session token", func(c *config.RemoteWriteConfig) {
			c.SigV4Config.AccessKey, c.SigV4Config.SecretKey = accessKey, secretKey
		}, "header x-amz-security-token is not signed"},
		{"with another secret", func(*config.RemoteWriteConfig) { t.Setenv("AWS_SECRET_ACCESS_KEY", "another") }, "the signature does not match"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			loaded, err := config.LoadFile(goldenFile, false, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			require.Equal(t, "prometheus-0", loaded.GlobalConfig.ExternalLabels.Get("__replica__"))
			require.Len(t, loaded.RemoteWriteConfigs, 1)
			remoteWrite := loaded.RemoteWriteConfigs[0]
			require.Equal(t, "https://aps-workspaces."+region+".amazonaws.com", remoteWrite.URL.Scheme+"://"+remoteWrite.URL.Host)

			workspace := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil {
					err = checkSignature(r, body)
				}
				if err != nil {
					http.Error(w, err.Error(), http.StatusForbidden)
				}
			}))
			defer workspace.Close()
			tc.change(remoteWrite)
			address, err := url.Parse(workspace.URL)
			require.NoError(t, err)
			remoteWrite.URL = &commonconfig.URL{URL: address.JoinPath(remoteWrite.URL.Path)}
			client, err := remote.NewWriteClient("workspace", &remote.ClientConfig{
				URL: remoteWrite.URL, WriteProtoMsg: remoteWrite.ProtobufMessage, Timeout: remoteWrite.RemoteTimeout,
				HTTPClientConfig: remoteWrite.HTTPClientConfig, SigV4Config: remoteWrite.SigV4Config,
			})
			require.NoError(t, err)
			_, err = client.Store(t.Context(), []byte("a body"), 0)
			if tc.refusal == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.refusal)
		})
	}
}
