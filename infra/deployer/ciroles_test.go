package deployer

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeCIDocument decodes one of the documents of CIPolicyDocuments.
func decodeCIDocument(t *testing.T, name string, document any) {
	t.Helper()
	documents, err := CIPolicyDocuments()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(documents[name], document))
}

// Only a job with the role's environment can assume the role: the conditions compare the audience
// and the subject of the token exactly.
func TestTrustPolicyAdmitsOneEnvironment(t *testing.T) {
	for name, subject := range map[string]string{
		"trust-preview": "repo:OWNER/REPOSITORY:environment:preview-ENVIRONMENT",
		"trust-deploy":  "repo:OWNER/REPOSITORY:environment:ENVIRONMENT",
	} {
		var document trustPolicy
		decodeCIDocument(t, name, &document)
		require.Len(t, document.Statement, 1)
		s := document.Statement[0]
		require.Equal(t, "sts:AssumeRoleWithWebIdentity", s.Action)
		require.Equal(t, map[string]map[string]string{"StringEquals": {
			"token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
			"token.actions.githubusercontent.com:sub": subject,
		}}, s.Condition)
	}
}

// Each action that gives a role permissions requires the permissions boundary, and the boundary
// forbids actions that widen permissions.
func TestActionsThatGivePermissionsRequireTheBoundary(t *testing.T) {
	documents, err := PolicyDocuments()
	require.NoError(t, err)
	var identity policy
	require.NoError(t, json.Unmarshal(documents["identity"], &identity))
	grantingActions := []string{"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:AttachRolePolicy"}
	seen := 0
	for _, s := range identity.Statement {
		for _, action := range s.Action {
			require.NotContains(t, []string{"iam:*", "iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:CreateUser"}, action)
			if slices.Contains(grantingActions, action) {
				seen++
				require.Equal(t, map[string]map[string]string{"StringEquals": {"iam:PermissionsBoundary": BoundaryARN}}, s.Condition, action)
			}
		}
	}
	require.Equal(t, len(grantingActions), seen)
	var boundary policy
	decodeCIDocument(t, "boundary", &boundary)
	require.Subset(t, boundary.Statement[0].NotAction, []string{"iam:*", "organizations:*", "sts:AssumeRole"})
	for _, s := range boundary.Statement {
		require.False(t, slices.Contains(s.Resource, "*") && len(s.Action) > 0, s.Sid)
	}
}

// The role of a preview changes nothing, fits into one policy, and reads every service of
// the stacks.
func TestPreviewRoleOnlyReads(t *testing.T) {
	documents, err := CIPolicyDocuments()
	require.NoError(t, err)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, documents["preview"]))
	require.LessOrEqual(t, compact.Len(), MaxPolicy)
	var document policy
	decodeCIDocument(t, "preview", &document)
	sids, services := map[string]bool{}, map[string]bool{}
	for _, s := range document.Statement {
		require.False(t, sids[s.Sid], s.Sid)
		sids[s.Sid] = true
		require.NotEmpty(t, s.Resource)
		for _, action := range s.Action {
			require.Regexp(t, `^[a-z0-9]+:(Describe|Get|List|BatchGet|BatchCheck)[A-Za-z0-9]*\*?$`, action)
			service, _, _ := strings.Cut(action, ":")
			services[service] = true
			if action == "secretsmanager:GetSecretValue" {
				require.NotContains(t, s.Resource, "*", "only the stack's own secrets")
			}
		}
	}
	for _, group := range policyServices {
		for _, service := range group {
			require.True(t, services[service], "%s is not read", service)
		}
	}
}
