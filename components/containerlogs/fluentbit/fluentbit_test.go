package fluentbit

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// section is a section of the configuration file.
type section map[string]any

// text returns the text of a key, or "" if the key has no text.
func (s section) text(key string) string { v, _ := s[key].(string); return v }

// loadSections returns the sections of the configuration file of a stack named shop-prod.
func loadSections(t *testing.T) (service section, inputs, outputs []section) {
	t.Helper()
	text, err := File(Input{Region: "eu-west-1", Cluster: "shop-prod", Namespace: "shop-prod"})
	require.NoError(t, err)
	var file struct {
		Service  section
		Pipeline struct{ Inputs, Outputs []section }
	}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &file))
	return file.Service, file.Pipeline.Inputs, file.Pipeline.Outputs
}

// matchesAny reports whether one of the comma-separated patterns matches a path. Like in glob(3),
// * does not match a slash.
func matchesAny(t *testing.T, patterns, file string) bool {
	t.Helper()
	for _, pattern := range strings.Split(patterns, ",") {
		matches, err := path.Match(pattern, file)
		require.NoError(t, err)
		if matches {
			return true
		}
	}
	return false
}

// Each line is sent to one log group, and the stream has the name of its container.
func TestEachFileIsSentToOneGroup(t *testing.T) {
	_, inputs, outputs := loadSections(t)
	for _, tc := range []struct{ reason, file, group, tag string }{
		{"a service", "/var/log/pods/shop-prod_web-6d5f-x2x_0b7c/web/0.log", "application", "shop-prod.web-6d5f-x2x.web"},
		{"a restarted second container of a pod", "/var/log/pods/shop-prod_redis-cluster-0_0b7c/agent/12.log", "application", "shop-prod.redis-cluster-0.agent"},
		{"a namespace with a name that begins with the platform's", "/var/log/pods/shop-prod-prometheus_prometheus-0_77/prometheus/0.log", "dataplane", "shop-prod-prometheus.prometheus-0.prometheus"},
		{"an add-on", "/var/log/pods/kube-system_coredns-57-abc_77/coredns/3.log", "dataplane", "kube-system.coredns-57-abc.coredns"},
		{"a static pod: its id is not a UUID", "/var/log/pods/kube-system_kube-proxy-ip-10-0-0-1.ec2.internal_af31/kube-proxy/0.log", "dataplane", "kube-system.kube-proxy-ip-10-0-0-1.ec2.internal.kube-proxy"},
		{"Fluent Bit's own log, which is not sent", "/var/log/pods/kube-system_fluent-bit-9xk2p_77/fluent-bit/0.log", "", ""},
		{"a rotated file, which was sent before", "/var/log/pods/shop-prod_web-6d5f-x2x_0b7c/web/0.log.20261129-190000", "", ""},
		{"a compressed rotated file", "/var/log/pods/shop-prod_web-6d5f-x2x_0b7c/web/0.log.20261129-190000.gz", "", ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			var groups, tags []string
			for _, input := range inputs {
				included := matchesAny(t, input.text("path"), tc.file)
				excluded := input.text("exclude_path") != "" && matchesAny(t, input.text("exclude_path"), tc.file)
				if !included || excluded {
					continue
				}
				tagRegexp := regexp.MustCompile(input.text("tag_regex"))
				match := tagRegexp.FindStringSubmatch(tc.file)
				require.NotNil(t, match, "Fluent Bit would send it under an incomplete tag")
				tag := input.text("tag")
				for i, name := range tagRegexp.SubexpNames() {
					tag = strings.ReplaceAll(tag, "<"+name+">", match[i])
				}
				for _, output := range outputs {
					prefix, ok := strings.CutSuffix(output.text("match"), "*")
					require.True(t, ok)
					if streamTag, ok := strings.CutPrefix(tag, prefix); ok {
						groups, tags = append(groups, output.text("log_group_name")), append(tags, streamTag)
					}
				}
			}
			if tc.group == "" {
				require.Empty(t, groups)
				return
			}
			require.Equal(t, []string{"/aws/containerinsights/shop-prod/" + tc.group}, groups)
			require.Equal(t, []string{tc.tag}, tags)
		})
	}
}

// Fluent Bit retries without limit, so that it loses no line while CloudWatch does not respond. It
// creates no log group, because such a group would have no key and no retention time.
func TestLinesAreRetriedUntilTheyAreSent(t *testing.T) {
	service, inputs, outputs := loadSections(t)
	require.EqualValues(t, HealthPort, service["http_port"])
	require.Len(t, inputs, len(Groups()))
	for _, input := range inputs {
		require.Equal(t, true, input["read_from_head"])
		require.NotEmpty(t, input.text("mem_buf_limit"))
		require.Equal(t, StateFolder, path.Dir(input.text("db")))
	}
	require.NotEqual(t, inputs[0]["db"], inputs[1]["db"], "each input locks its own file")
	for _, output := range outputs {
		require.Equal(t, "eu-west-1", output.text("region"))
		require.Equal(t, "log", output.text("log_key"))
		require.Equal(t, false, output["auto_create_group"])
		require.Equal(t, "no_limits", output.text("retry_limit"))
	}
}
