package redistuning

import (
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/components/size"
)

// place is where a setting is ours to make; zero: everywhere.
type place int

const (
	// ownServer settings are not modifiable on ElastiCache (ElastiCache User
	// Guide, "Redis OSS-specific parameters").
	ownServer place = iota + 1
	// managedOnly settings are ElastiCache's own.
	managedOnly
)

// setting is a directive of redis.conf and what ElastiCache makes of it. Units
// belong to it: only the functions below write values.
type setting struct {
	name string
	// conf is the value in redis.conf, read the one that CONFIG GET answers.
	conf, read string
	group      []Parameter
	where      place
}

// Parameter is one line of an ElastiCache parameter group. Its fields are
// closed, so that a value can't be in another unit than the parameter's.
type Parameter struct{ name, value string }

// Name is ElastiCache's name.
func (p Parameter) Name() string { return p.name }

// Value is a word or a number, of bytes where it is a size.
func (p Parameter) Value() string { return p.value }

func (s setting) own() setting     { s.where = ownServer; return s }
func (s setting) managed() setting { s.where = managedOnly; return s }

func word(name, value string) setting {
	return setting{name: name, conf: value, read: value, group: []Parameter{{name, value}}}
}

func number(name string, n int) setting { return word(name, strconv.Itoa(n)) }

func yes(name string) setting { return word(name, "yes") }

func memory(name string, s size.Size) setting {
	return setting{name: name, conf: written(s), read: counted(s), group: []Parameter{{name, counted(s)}}}
}

// buffers is a client-output-buffer-limit: a client of the class is cut off
// when its answers pile up to hard, or stay above soft for so many seconds.
func buffers(class string, hard, soft size.Size, seconds int) setting {
	name := "client-output-buffer-limit"
	after := strconv.Itoa(seconds)
	return setting{
		name: name,
		conf: strings.Join([]string{class, written(hard), written(soft), after}, " "),
		read: strings.Join([]string{class, counted(hard), counted(soft), after}, " "),
		group: []Parameter{
			{name + "-" + class + "-hard-limit", counted(hard)},
			{name + "-" + class + "-soft-limit", counted(soft)},
			{name + "-" + class + "-soft-seconds", after},
		},
	}
}

// gone takes a command away from everyone.
func gone(command string) setting {
	return setting{name: "rename-command", conf: command + ` ""`, where: ownServer}
}

func written(s size.Size) string { return s.Write([4]string{"", "kb", "mb", "gb"}) }
func counted(s size.Size) string { return strconv.FormatInt(s.Bytes(), 10) }
