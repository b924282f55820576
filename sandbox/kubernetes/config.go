package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const (
	// requestLimit is how long one request to the API server may take, unless
	// kubeClientSettings.timeout says otherwise.
	requestLimit = 32 * time.Second
	// The real provider's rates, in requests a second.
	defaultQPS   = 120
	defaultBurst = 160
)

// config is the provider's configuration, the inputs of
// pulumi:providers:kubernetes.
type config struct {
	Kubeconfig        string // content or path; empty means the usual places
	Context           string
	Cluster           string
	Namespace         string
	ClusterIdentifier string

	DeleteUnreachable bool
	PatchForce        bool
	Upsert            bool
	MutableConfigMaps bool
	MutableSecrets    bool
	QuietDeprecations bool

	QPS     float32
	Burst   int
	Timeout time.Duration
}

// setting is one known input of the provider.
type setting struct {
	set func(*config, any) error
	// refused says what the stand-in lacks, where the setting asks for it.
	refused string
}

func str(field func(*config) *string) func(*config, any) error {
	return func(c *config, value any) error {
		switch v := value.(type) {
		case string:
			*field(c) = v
		case map[string]any: // a kubeconfig that was given as an object
			raw, err := json.Marshal(v)
			if err != nil {
				return err
			}
			*field(c) = string(raw)
		default:
			return fmt.Errorf("must be a string, not %v", value)
		}
		return nil
	}
}

func flag(field func(*config) *bool) func(*config, any) error {
	return func(c *config, value any) (err error) {
		*field(c), err = boolean(value)
		return err
	}
}

// boolean reads a flag: Pulumi passes a provider's settings as JSON in strings.
func boolean(value any) (bool, error) {
	switch v := value.(type) {
	case bool:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b, nil
		}
	}
	return false, fmt.Errorf("must be true or false, not %v", value)
}

func ignored(*config, any) error { return nil }

var settings = map[string]setting{
	"kubeconfig":        {set: str(func(c *config) *string { return &c.Kubeconfig })},
	"context":           {set: str(func(c *config) *string { return &c.Context })},
	"cluster":           {set: str(func(c *config) *string { return &c.Cluster })},
	"namespace":         {set: str(func(c *config) *string { return &c.Namespace })},
	"clusterIdentifier": {set: str(func(c *config) *string { return &c.ClusterIdentifier })},

	"deleteUnreachable":           {set: flag(func(c *config) *bool { return &c.DeleteUnreachable })},
	"enablePatchForce":            {set: flag(func(c *config) *bool { return &c.PatchForce })},
	"upsertExistingObjects":       {set: flag(func(c *config) *bool { return &c.Upsert })},
	"enableConfigMapMutable":      {set: flag(func(c *config) *bool { return &c.MutableConfigMaps })},
	"enableSecretMutable":         {set: flag(func(c *config) *bool { return &c.MutableSecrets })},
	"suppressDeprecationWarnings": {set: flag(func(c *config) *bool { return &c.QuietDeprecations })},
	"kubeClientSettings":          {set: clientSettings},

	"enableServerSideApply": {set: func(_ *config, value any) error {
		on, err := boolean(value)
		if err == nil && !on {
			return errors.New("client-side apply is not in the stand-in: leave enableServerSideApply out; " + realPlugin)
		}
		return err
	}},
	"renderYamlToDirectory": {refused: "rendering YAML"},
	"alwaysRender":          {refused: "rendering YAML"},
	"skipUpdateUnreachable": {refused: "skipping the updates of an unreachable cluster"},
	"helmReleaseSettings":   {refused: "Helm"},

	"suppressHelmHookWarnings": {set: ignored}, // there is no Helm that could warn
	// What the engine itself adds.
	"version": {set: ignored}, "pluginDownloadURL": {set: ignored}, "pluginChecksums": {set: ignored},
	"__internal": {set: ignored}, "__defaults": {set: ignored},
}

func clientSettings(c *config, value any) error {
	if raw, ok := value.(string); ok {
		value = nil
		if err := json.Unmarshal([]byte(raw), &value); err != nil {
			return fmt.Errorf("must be an object: %w", err)
		}
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("must be an object, not %v", value)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		n, err := strconv.ParseFloat(fmt.Sprint(fields[name]), 64)
		if err != nil || n <= 0 {
			return fmt.Errorf("%s must be a number above zero, not %v", name, fields[name])
		}
		switch name {
		case "qps": // requests a second
			c.QPS = float32(n)
		case "burst": // requests
			c.Burst = int(n)
		case "timeout": // seconds
			c.Timeout = time.Duration(n * float64(time.Second))
		default:
			return fmt.Errorf("%s is unknown; known are burst, qps, timeout", name)
		}
	}
	return nil
}

// invalid is one setting that is refused.
type invalid struct{ Property, Reason string }

// parseConfig reads the provider's inputs. Unknown values, which only a preview
// has, are left out. All that is wrong is returned at once.
func parseConfig(inputs map[string]any) (config, []invalid) {
	c := config{QPS: defaultQPS, Burst: defaultBurst, Timeout: requestLimit}
	var wrong []invalid
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		s, known := settings[name]
		value := inputs[name]
		switch {
		case hasUnknown(value):
		case !known:
			wrong = append(wrong, invalid{name, "is no setting of the Kubernetes provider " + pluginVersion + " that its stand-in knows"})
		case s.refused != "":
			if on, err := boolean(value); err != nil || on {
				wrong = append(wrong, invalid{name, s.refused + " is not in the stand-in for the Kubernetes provider; " + realPlugin})
			}
		default:
			if err := s.set(&c, value); err != nil {
				wrong = append(wrong, invalid{name, err.Error()})
			}
		}
	}
	if c.Kubeconfig != "" {
		if _, err := c.load(); err != nil {
			wrong = append(wrong, invalid{"kubeconfig", err.Error()})
		}
	}
	return c, wrong
}

// load reads the kubeconfig, which may be given as text or as a path.
func (c config) load() (*clientcmdapi.Config, error) {
	given := strings.TrimSpace(c.Kubeconfig)
	if given == "" {
		return clientcmd.NewDefaultClientConfigLoadingRules().Load()
	}
	if strings.ContainsAny(given, "\n{") {
		parsed, err := clientcmd.Load([]byte(given))
		if err != nil {
			return nil, fmt.Errorf("is no kubeconfig: %w", err)
		}
		if len(parsed.Clusters) == 0 {
			return nil, errors.New("is no kubeconfig: it names no cluster")
		}
		return parsed, nil
	}
	if rest, ok := strings.CutPrefix(given, "~"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		given = filepath.Join(home, rest)
	}
	parsed, err := clientcmd.LoadFromFile(given)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("is neither the text of a kubeconfig nor the path of one: no file %s", given)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no kubeconfig: %w", given, err)
	}
	return parsed, nil
}

// connection returns how to reach the API server, and the namespace of objects
// that name none.
func (c config) connection() (*rest.Config, string, error) {
	parsed, err := c.load()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig %w", err)
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: c.Context}
	overrides.Context.Cluster = c.Cluster
	overrides.Context.Namespace = c.Namespace
	chosen := clientcmd.NewDefaultClientConfig(*parsed, overrides)
	cfg, err := chosen.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w", err)
	}
	namespace, _, err := chosen.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w", err)
	}
	cfg.QPS, cfg.Burst, cfg.Timeout = c.QPS, c.Burst, c.Timeout
	cfg.UserAgent = "pulumi-resource-kubernetes/sandbox"
	return cfg, namespace, nil
}

// server is the URL of the API server, empty where it can't be told.
func (c config) server() string {
	cfg, _, err := c.connection()
	if err != nil {
		return ""
	}
	return cfg.Host
}

// replaces says by which setting a change of the provider is a change of the
// cluster, and so replaces all that stands in it; empty where it is not.
func replaces(before, after config) string {
	if before.ClusterIdentifier != "" || after.ClusterIdentifier != "" {
		if before.ClusterIdentifier != after.ClusterIdentifier {
			return "clusterIdentifier"
		}
		return ""
	}
	from, to := before.server(), after.server()
	switch {
	case from == "" || to == "" || from == to:
		return ""
	case before.Context != after.Context:
		return "context"
	case before.Cluster != after.Cluster:
		return "cluster"
	default:
		return "kubeconfig"
	}
}
