package fluentbit

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

type section map[string]any

func (s section) text(key string) string { v, _ := s[key].(string); return v }

func load(t *testing.T) (service section, inputs, outputs []section) {
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

// glob reports whether a pattern matches a path. Neither glob(3) nor a folder's name lets *
// match a slash here.
func glob(t *testing.T, patterns, file string) bool {
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

// Each line is in one group, and the stream names its container.
func TestEachFileIsSentOnce(t *testing.T) {
	_, inputs, outputs := load(t)
	for _, tc := range []struct{ reason, file, group, tag string }{
		{"a service", "/var/log/pods/shop-prod_web-6d5f-x2x_0b7c/web/0.log", "application", "shop-prod.web-6d5f-x2x.web"},
		{"its second container, restarted", "/var/log/pods/shop-prod_redis-cluster-0_0b7c/agent/12.log", "application", "shop-prod.redis-cluster-0.agent"},
		{"a namespace whose name begins alike", "/var/log/pods/shop-prod-prometheus_prometheus-0_77/prometheus/0.log", "dataplane", "shop-prod-prometheus.prometheus-0.prometheus"},
		{"an add-on", "/var/log/pods/kube-system_coredns-57-abc_77/coredns/3.log", "dataplane", "kube-system.coredns-57-abc.coredns"},
		{"a static pod, whose id is no UUID", "/var/log/pods/kube-system_kube-proxy-ip-10-0-0-1.ec2.internal_af31/kube-proxy/0.log", "dataplane", "kube-system.kube-proxy-ip-10-0-0-1.ec2.internal.kube-proxy"},
		{"its own", "/var/log/pods/kube-system_fluent-bit-9xk2p_77/fluent-bit/0.log", "", ""},
		{"a rotated file, which was read before", "/var/log/pods/shop-prod_web-6d5f-x2x_0b7c/web/0.log.20261129-190000", "", ""},
		{"a compressed one", "/var/log/pods/shop-prod_web-6d5f-x2x_0b7c/web/0.log.20261129-190000.gz", "", ""},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			var groups, tags []string
			for _, in := range inputs {
				if !glob(t, in.text("path"), tc.file) || in.text("exclude_path") != "" && glob(t, in.text("exclude_path"), tc.file) {
					continue
				}
				names := regexp.MustCompile(in.text("tag_regex"))
				match := names.FindStringSubmatch(tc.file)
				require.NotNil(t, match, "Fluent Bit would send it under an incomplete tag")
				tag := in.text("tag")
				for i, name := range names.SubexpNames() {
					tag = strings.ReplaceAll(tag, "<"+name+">", match[i])
				}
				for _, out := range outputs {
					prefix, ok := strings.CutSuffix(out.text("match"), "*")
					require.True(t, ok)
					if rest, ok := strings.CutPrefix(tag, prefix); ok {
						groups, tags = append(groups, out.text("log_group_name")), append(tags, rest)
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

// It creates no log group, so that none is without key and expiry, and drops no line while
// CloudWatch does not answer.
func TestLinesAreKeptUntilTheyAreSent(t *testing.T) {
	service, inputs, outputs := load(t)
	require.EqualValues(t, HealthPort, service["http_port"])
	require.Len(t, inputs, len(Groups()))
	for _, in := range inputs {
		require.Equal(t, true, in["read_from_head"])
		require.NotEmpty(t, in.text("mem_buf_limit"))
		require.Equal(t, StateFolder, path.Dir(in.text("db")))
	}
	require.NotEqual(t, inputs[0]["db"], inputs[1]["db"], "two inputs lock one file")
	for _, out := range outputs {
		require.Equal(t, "eu-west-1", out.text("region"))
		require.Equal(t, "log", out.text("log_key"))
		require.Equal(t, false, out["auto_create_group"])
		require.Equal(t, "no_limits", out.text("retry_limit"))
	}
}
