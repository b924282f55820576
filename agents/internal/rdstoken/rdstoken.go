// Package rdstoken creates the tokens that replace a pod's password for a database of
// RDS. A token is a signed URL that is valid for 15 minutes (RDS User Guide, "IAM
// database authentication"). This package signs the URL with the credentials that EKS
// Pod Identity gives the pod. So a new connection usually needs no AWS call.
package rdstoken

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

const (
	// lifetime is how long RDS accepts a token for a new connection.
	lifetime = 15 * time.Minute
	// refreshBefore is the remaining lifetime of the credentials at which the Signer
	// requests new ones.
	refreshBefore = 5 * time.Minute
	// emptyHash is the SHA-256 hash of the empty body of a signed URL.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// callTimeout bounds one request for credentials to the EKS Pod Identity Agent on the
	// pod's node.
	callTimeout = 5 * time.Second
)

// Config defines where the credentials come from. EKS sets every variable except the
// region (EKS User Guide, "How EKS Pod Identity works").
type Config struct {
	// Region is AWS_REGION.
	Region string
	// CredentialsURL is AWS_CONTAINER_CREDENTIALS_FULL_URI.
	CredentialsURL string
	// TokenFile is AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE. It is read for each request for
	// credentials, because the kubelet renews it.
	TokenFile string
}

// ReadConfig reads the variables of Config. All of them are required.
func ReadConfig(env *envconfig.Reader) Config {
	env.Require("AWS_REGION", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
	return Config{
		Region:         env.Word("AWS_REGION", ""),
		CredentialsURL: env.URL("AWS_CONTAINER_CREDENTIALS_FULL_URI", "", "http"),
		TokenFile:      env.Path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ""),
	}
}

// Signer creates tokens. It is safe for concurrent use.
type Signer struct {
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	now         func() time.Time
}

// New returns a Signer. The Signer requests credentials when it creates its first token,
// and new credentials before they expire.
func New(cfg Config) *Signer {
	provider := endpointcreds.New(cfg.CredentialsURL, func(o *endpointcreds.Options) {
		o.HTTPClient = &http.Client{Timeout: callTimeout}
		o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
			token, err := os.ReadFile(cfg.TokenFile)
			return strings.TrimSpace(string(token)), err
		})
	})
	credentialsCache := aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = refreshBefore })
	return &Signer{cfg.Region, credentialsCache, v4.NewSigner(), time.Now}
}

// Token returns the token of a user of the database at host and port. The token is a
// secret.
func (s *Signer) Token(ctx context.Context, host string, port uint16, user string) (string, error) {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("get the credentials for the token of database user %s: %w", user, err)
	}
	query := url.Values{"Action": {"connect"}, "DBUser": {user}, "X-Amz-Expires": {strconv.Itoa(int(lifetime.Seconds()))}}
	address := net.JoinHostPort(host, strconv.Itoa(int(port)))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/?"+query.Encode(), nil)
	if err != nil {
		return "", fmt.Errorf("create the token of database user %s at %s: %w", user, address, err)
	}
	signedURL, _, err := s.signer.PresignHTTP(ctx, credentials, request, emptyHash, "rds-db", s.region, s.now().UTC())
	if err != nil {
		return "", fmt.Errorf("sign the token of database user %s: %w", user, err)
	}
	return strings.TrimPrefix(signedURL, "https://"), nil
}
