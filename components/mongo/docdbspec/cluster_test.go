package docdbspec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestZeroValuesMeanThreeInstancesAnd35Days(t *testing.T) {
	c, err := Cluster{Identifier: "progressive-framework-abcdefghijkl-mongo", InstanceClass: "db.r6g.large"}.Complete()
	require.NoError(t, err, "the identifier of the longest environment name is accepted")
	require.Equal(t, 3, c.Instances)
	require.Equal(t, 35, c.BackupDays)
}

func TestParametersHaveTheDesignDocumentsThresholdAndTLS(t *testing.T) {
	parameters := map[string]Parameter{}
	for _, p := range Parameters() {
		parameters[p.Name] = p
	}
	require.Equal(t, Parameter{Name: "profiler_threshold_ms", Value: "100", Default: "100"}, parameters["profiler_threshold_ms"])
	require.Equal(t, Parameter{Name: "tls", Value: "enabled", Default: "enabled", Static: true}, parameters["tls"])
}

func TestInvalidClustersAreRefused(t *testing.T) {
	valid := Cluster{Identifier: "m", InstanceClass: "db.t4g.medium"}
	for _, row := range []struct {
		reason string
		change func(*Cluster)
		want   string
	}{
		{"an identifier that AWS refuses", func(c *Cluster) { c.Identifier = "m-" }, `Identifier "m-" must be`},
		{"an identifier that is too long", func(c *Cluster) { c.Identifier = "progressive-framework-abcdefghijklm-mongo" }, "must be 1 to 40"},
		{"an instance class of RDS that DocumentDB does not have", func(c *Cluster) { c.InstanceClass = "db.m7g.large" }, `InstanceClass "db.m7g.large" must be`},
		{"a negative number of instances", func(c *Cluster) { c.Instances = -1 }, "Instances is -1, must be 1 to 16"},
		{"less than a week of backups", func(c *Cluster) { c.BackupDays = 1 }, "BackupDays is 1, must be 7 to 35"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			c := valid
			row.change(&c)
			_, err := c.Complete()
			require.ErrorContains(t, err, row.want)
		})
	}
}
