package redistuning

import (
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/components/size"
)

// target is the kind of servers on which a setting is set. Zero means all servers.
type target int

const (
	// inCluster settings can't be changed on ElastiCache (ElastiCache User
	// Guide, "Redis OSS-specific parameters").
	inCluster target = iota + 1
	// elastiCache settings do not exist in redis.conf.
	elastiCache
)

// setting is a directive of redis.conf and its ElastiCache parameters. Only the
// functions below create settings, so that every value has the right unit.
type setting struct {
	name string
	// conf is the value in redis.conf. configGet is the value that CONFIG GET returns.
	conf, configGet string
	// parameters are the parameters of an ElastiCache parameter group.
	parameters []Parameter
	target     target
}

// Parameter is one parameter of an ElastiCache parameter group. Its fields are
// not exported, so that callers can't use a wrong unit.
type Parameter struct{ name, value string }

// Name returns the name of the parameter.
func (p Parameter) Name() string { return p.name }

// Value returns the value: a text or a number. Sizes are in bytes.
func (p Parameter) Value() string { return p.value }

// inClusterOnly returns a copy of the setting that is set only on servers in the cluster.
func (s setting) inClusterOnly() setting { s.target = inCluster; return s }

// elastiCacheOnly returns a copy of the setting that is set only on ElastiCache.
func (s setting) elastiCacheOnly() setting { s.target = elastiCache; return s }

// textSetting, integerSetting, enabledSetting and memorySetting return the setting with a name and a
// value. The value of enabledSetting is "yes".
func textSetting(name, value string) setting {
	return setting{name: name, conf: value, configGet: value, parameters: []Parameter{{name, value}}}
}

func integerSetting(name string, n int) setting { return textSetting(name, strconv.Itoa(n)) }

func enabledSetting(name string) setting { return textSetting(name, "yes") }

func memorySetting(name string, s size.Size) setting {
	return setting{name: name, conf: formatSize(s), configGet: formatBytes(s), parameters: []Parameter{{name, formatBytes(s)}}}
}

// outputBufferSetting returns the setting client-output-buffer-limit for a class of clients. Redis
// disconnects a client when its output buffer reaches hard, or stays above soft for seconds.
func outputBufferSetting(class string, hard, soft size.Size, seconds int) setting {
	name := "client-output-buffer-limit"
	softSeconds := strconv.Itoa(seconds)
	return setting{
		name:      name,
		conf:      strings.Join([]string{class, formatSize(hard), formatSize(soft), softSeconds}, " "),
		configGet: strings.Join([]string{class, formatBytes(hard), formatBytes(soft), softSeconds}, " "),
		parameters: []Parameter{
			{name + "-" + class + "-hard-limit", formatBytes(hard)},
			{name + "-" + class + "-soft-limit", formatBytes(soft)},
			{name + "-" + class + "-soft-seconds", softSeconds},
		},
	}
}

// disabledCommandSetting returns the setting that disables a command for every user of a server in
// the cluster.
func disabledCommandSetting(command string) setting {
	return setting{name: "rename-command", conf: command + ` ""`, target: inCluster}
}

// formatSize returns a size in the notation of redis.conf, and formatBytes returns it in bytes.
func formatSize(s size.Size) string  { return s.Format([4]string{"", "kb", "mb", "gb"}) }
func formatBytes(s size.Size) string { return strconv.FormatInt(s.Bytes(), 10) }
