package redistuning

import (
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/components/size"
)

// target says on which servers a setting is set. Zero means on all servers.
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

// inClusterOnly returns the setting, limited to servers in the cluster. elastiCacheOnly returns it
// limited to ElastiCache.
func (s setting) inClusterOnly() setting   { s.target = inCluster; return s }
func (s setting) elastiCacheOnly() setting { s.target = elastiCache; return s }

// text, integer, yes and memory return the setting of a name with a value of one type.
func text(name, value string) setting {
	return setting{name: name, conf: value, configGet: value, parameters: []Parameter{{name, value}}}
}

func integer(name string, n int) setting { return text(name, strconv.Itoa(n)) }

func yes(name string) setting { return text(name, "yes") }

func memory(name string, s size.Size) setting {
	return setting{name: name, conf: format(s), configGet: inBytes(s), parameters: []Parameter{{name, inBytes(s)}}}
}

// outputBuffer returns the setting client-output-buffer-limit for a class of clients. Redis
// disconnects a client when its output buffer reaches hard, or stays above soft for seconds.
func outputBuffer(class string, hard, soft size.Size, seconds int) setting {
	name := "client-output-buffer-limit"
	after := strconv.Itoa(seconds)
	return setting{
		name:      name,
		conf:      strings.Join([]string{class, format(hard), format(soft), after}, " "),
		configGet: strings.Join([]string{class, inBytes(hard), inBytes(soft), after}, " "),
		parameters: []Parameter{
			{name + "-" + class + "-hard-limit", inBytes(hard)},
			{name + "-" + class + "-soft-limit", inBytes(soft)},
			{name + "-" + class + "-soft-seconds", after},
		},
	}
}

// disabled returns the setting that disables a command for every user.
func disabled(command string) setting {
	return setting{name: "rename-command", conf: command + ` ""`, target: inCluster}
}

func format(s size.Size) string  { return s.Format([4]string{"", "kb", "mb", "gb"}) }
func inBytes(s size.Size) string { return strconv.FormatInt(s.Bytes(), 10) }
