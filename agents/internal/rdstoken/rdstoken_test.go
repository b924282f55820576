package rdstoken

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// startPodIdentity starts a server that responds as the agent of EKS Pod Identity does. It
// returns the configuration for the server, and the number of responses with credentials.
func startPodIdentity(t *testing.T, lifetime time.Duration) (Config, *atomic.Int64) {
	t.Helper()
	var responses atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "token-of-the-pod" {
			http.Error(w, `{"code":"AccessDenied","message":"wrong token"}`, http.StatusForbidden)
			return
		}
		responses.Add(1)
		_, _ = fmt.Fprintf(w, `{"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY","Token":"session/token=","AccountId":"123456789012","Expiration":%q}`,
			time.Now().Add(lifetime).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("token-of-the-pod\n"), 0o600))
	return Config{Region: "us-east-1", CredentialsURL: server.URL + "/v1/credentials", TokenFile: file}, &responses
}

// AWS's own client creates tokens of the same format (repository aws/aws-sdk-go-v2, file
// feature/rds/auth/connect.go).
func TestTokenHasTheFormatThatRDSExpects(t *testing.T) {
	cfg, _ := startPodIdentity(t, time.Hour)
	s := New(cfg)
	s.now = func() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }
	token, err := s.Token(t.Context(), "db.example.us-east-1.rds.amazonaws.com", 5432, "web_iam")
	require.NoError(t, err)
	u, err := url.Parse("https://" + token)
	require.NoError(t, err)
	require.Equal(t, "db.example.us-east-1.rds.amazonaws.com:5432", u.Host)
	require.Equal(t, "/", u.Path)
	query := u.Query()
	require.Regexp(t, `^[0-9a-f]{64}$`, query.Get("X-Amz-Signature"))
	query.Del("X-Amz-Signature")
	require.Equal(t, url.Values{
		"Action": {"connect"}, "DBUser": {"web_iam"}, "X-Amz-Expires": {"900"}, "X-Amz-Algorithm": {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential": {"AKIDEXAMPLE/20261129/us-east-1/rds-db/aws4_request"}, "X-Amz-Date": {"20261129T120000Z"},
		"X-Amz-SignedHeaders": {"host"}, "X-Amz-Security-Token": {"session/token="},
	}, query)

	again, err := s.Token(t.Context(), "db.example.us-east-1.rds.amazonaws.com", 5432, "web_iam")
	require.NoError(t, err)
	require.Equal(t, token, again, "the same time gives the same signature")
	other, err := s.Token(t.Context(), "db.example.us-east-1.rds.amazonaws.com", 5432, "npa_iam")
	require.NoError(t, err)
	otherURL, err := url.Parse("https://" + other)
	require.NoError(t, err)
	require.NotEqual(t, u.Query().Get("X-Amz-Signature"), otherURL.Query().Get("X-Amz-Signature"), "the user is signed")
}

func TestCredentialsAreReusedUntilTheyExpire(t *testing.T) {
	for _, row := range []struct {
		reason    string
		lifetime  time.Duration
		responses int64
	}{
		{"valid for hours", 6 * time.Hour, 1},
		{"about to expire", refreshBefore / 2, 3},
	} {
		t.Run(row.reason, func(t *testing.T) {
			cfg, responses := startPodIdentity(t, row.lifetime)
			s := New(cfg)
			for range 3 {
				_, err := s.Token(t.Context(), "db", 5432, "web_iam")
				require.NoError(t, err)
			}
			require.Equal(t, row.responses, responses.Load())
		})
	}
}

func TestMissingCredentialsAreAnError(t *testing.T) {
	cfg, _ := startPodIdentity(t, time.Hour)
	require.NoError(t, os.WriteFile(cfg.TokenFile, []byte("another"), 0o600))
	_, err := New(cfg).Token(t.Context(), "db", 5432, "web_iam")
	require.ErrorContains(t, err, "credentials for the token of database user web_iam")
	cfg.TokenFile = "/nothing"
	_, err = New(cfg).Token(t.Context(), "db", 5432, "web_iam")
	require.ErrorContains(t, err, "/nothing")
}

func TestVariablesAreRequired(t *testing.T) {
	env := envconfig.New(func(string) (string, bool) { return "", false })
	ReadConfig(env)
	for _, name := range []string{"AWS_REGION", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"} {
		require.ErrorContains(t, env.Err(), name)
	}
}
