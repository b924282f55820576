package secretfiles

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestObjects(t *testing.T) {
	const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1-AbCdEf"
	for _, tc := range []struct{ reason, field, want string }{
		{"a value that is the password", "", `[{"objectName":"` + arn + `","objectAlias":"password"}]`},
		{"a field of JSON, as RDS and DocumentDB write it; no two files have one name", "password",
			`[{"objectName":"` + arn + `","objectAlias":"secret.json","jmesPath":[{"path":"password","objectAlias":"password"}]}]`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			got, err := objects(arn, tc.field)
			require.NoError(t, err)
			require.JSONEq(t, tc.want, got)
		})
	}
}
