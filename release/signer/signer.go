// Package signer opens the keys that sign images. A key is a file or a key of AWS KMS. The private
// part of a KMS key never leaves AWS. This is the only package that links the client of KMS.
// Package signkey has the interface, the files and the public keys.
//
// A reference to a key is the path of a file, or a URI in cosign's form: awskms:///ARN,
// awskms:///alias/NAME or awskms:///KEY-ID.
package signer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/progressive-framework/platform/release/signkey"
)

// requestTimeout limits one request to KMS with its retries.
const requestTimeout = 30 * time.Second

// client is the part of the KMS client that this package uses.
type client interface {
	GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, options ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
	Sign(ctx context.Context, in *kms.SignInput, options ...func(*kms.Options)) (*kms.SignOutput, error)
}

// Credentials say as which identity and in which region KMS is called. The zero value means those of
// the environment, as for the aws command.
type Credentials struct {
	// Region is used if the reference is not an ARN. Empty means the region of the environment.
	Region string
	// Profile is a profile of AWS's config file. Empty means the credentials of the environment.
	Profile string
	// RoleARN is the role that these credentials assume first. Empty means none.
	RoleARN string
}

// roleSession is the name of the role's session. CloudTrail shows it.
const roleSession = "sign-images"

// Open returns the key of a reference. A key file needs no credentials.
func Open(ctx context.Context, reference string, credentials Credentials) (signkey.Key, error) {
	id, isKMS := strings.CutPrefix(reference, signkey.KMSScheme)
	if !isKMS {
		return signkey.Read(reference)
	}
	if err := signkey.CheckKMS(reference); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if parsed, err := arn.Parse(id); err == nil {
		credentials.Region = parsed.Region
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	awsConfig, err := credentials.loadConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: configuration of AWS: %w", reference, err)
	}
	if awsConfig.Region == "" {
		return nil, fmt.Errorf("signing key %s: no region: set AWS_REGION to the region of the key, or name the key by its ARN", reference)
	}
	return openKMS(ctx, kms.NewFromConfig(awsConfig), id)
}

// loadConfig returns the configuration of the AWS SDK with the credentials. An option without a value
// changes nothing.
func (c Credentials) loadConfig(ctx context.Context) (aws.Config, error) {
	awsConfig, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Region), config.WithSharedConfigProfile(c.Profile))
	if err == nil && c.RoleARN != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(awsConfig), c.RoleARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = roleSession })
		awsConfig.Credentials = aws.NewCredentialsCache(role)
	}
	return awsConfig, err
}

// kmsKey is a key of KMS. It implements signkey.Key.
type kmsKey struct {
	client client
	id     string
	public *ecdsa.PublicKey
}

// openKMS reads the public part of a key, and checks that the key can sign with ECDSA and P-256.
func openKMS(ctx context.Context, c client, id string) (signkey.Key, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	response, err := c.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &id})
	if err != nil {
		return nil, addFix(id, err)
	}
	if response.KeyUsage != types.KeyUsageTypeSignVerify || response.KeySpec != types.KeySpecEccNistP256 {
		return nil, fmt.Errorf("KMS key %s: it has the spec %s for %s: must be ECC_NIST_P256 for SIGN_VERIFY", id, response.KeySpec, response.KeyUsage)
	}
	parsed, err := x509.ParsePKIXPublicKey(response.PublicKey)
	public, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("KMS key %s: KMS returned no public key of the curve P-256", id)
	}
	return &kmsKey{client: c, id: id, public: public}, nil
}

// addFix adds the fix to an error of KMS.
func addFix(id string, err error) error {
	var absent *types.NotFoundException
	if errors.As(err, &absent) {
		return fmt.Errorf("KMS key %s: %w; create it with images.kmsSigners and pulumi up (docs/promotion.md)", id, err)
	}
	return fmt.Errorf("KMS key %s: %w; the caller needs kms:GetPublicKey and kms:Sign (images.kmsSigners)", id, err)
}

// SignData implements signkey.Key. It sends only the hash of the data, because KMS accepts messages
// of at most 4,096 bytes (KMS API, Sign).
func (k *kmsKey) SignData(ctx context.Context, data []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	hash := sha256.Sum256(data)
	response, err := k.client.Sign(ctx, &kms.SignInput{
		KeyId: &k.id, Message: hash[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return nil, addFix(k.id, err)
	}
	if !ecdsa.VerifyASN1(k.public, hash[:], response.Signature) {
		return nil, fmt.Errorf("KMS key %s: the signature that KMS returned does not match the public key of KMS", k.id)
	}
	return response.Signature, nil
}

// Public implements signkey.Key.
func (k *kmsKey) Public() *ecdsa.PublicKey { return k.public }
