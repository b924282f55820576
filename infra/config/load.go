package config

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Option is an input of Load other than the values.
type Option func(*options)

type options struct {
	secretKeys []string
	files      fs.FS
	today      time.Time
}

// WithSecrets names the full keys of the values that Pulumi keeps encrypted.
func WithSecrets(keys []string) Option { return func(o *options) { o.secretKeys = keys } }

// WithFiles sets the folder of the project, from which Load reads the files that the configuration
// names.
func WithFiles(project fs.FS) Option { return func(o *options) { o.files = project } }

// WithToday sets the day on which versions must have support and certificates must be valid.
// Without it Load checks neither.
func WithToday(today time.Time) Option { return func(o *options) { o.today = today } }

// Load reads and validates a stack's configuration. values has Pulumi's own form: full keys such as
// "aws:region" and "progressive-framework:network", with objects as JSON. Load looks for the files
// that the configuration names in the project's folder. By default this is the first folder with a
// Pulumi.yaml, from the working folder upwards. The error is nil or an *Error that lists everything
// wrong.
func Load(stack string, values map[string]string, opts ...Option) (*Stack, error) {
	o := options{files: openProject()}
	for _, opt := range opts {
		opt(&o)
	}
	s := defaults()
	r := reader{setKeys: map[string]bool{}}
	r.readAll(&s, values, o.secretKeys)
	s.setKeys = r.setKeys
	problems := r.problems
	for _, p := range validate(&s, o, r.problems) {
		// A key that could not be read is not reported as missing or invalid again.
		isReported := slices.ContainsFunc(r.problems, func(unread *field.Error) bool {
			return isWithin(p.Field, unread.Field) || isWithin(unread.Field, p.Field)
		})
		if !isReported {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
		return nil, &Error{Stack: stack, Problems: problems}
	}
	return &s, nil
}

// isWithin reports whether path is outer or the path of a member of outer.
func isWithin(path, outer string) bool {
	suffix, found := strings.CutPrefix(path, outer)
	return found && (suffix == "" || suffix[0] == '.' || suffix[0] == '[')
}

// Error is everything wrong with one stack's configuration.
type Error struct {
	Stack    string
	Problems field.ErrorList
}

// Error lists all problems by their paths, and the file to fix.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration of stack %q has %d error(s); nothing was registered:", e.Stack, len(e.Problems))
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n  - %s: %s", p.Field, p.ErrorBody())
	}
	fmt.Fprintf(&b, "\nFix Pulumi.%s.yaml or use `pulumi config set --path KEY VALUE`; docs/configuration.md lists every key.", e.Stack)
	return b.String()
}

// Unwrap returns the problems one by one.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// errNotBool is the error for a value that is neither true nor false.
var errNotBool = errors.New("must be true or false")
