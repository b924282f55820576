package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// leaf is a key that is not an object, with its type and a kind of store that has the key.
type leaf struct {
	path string
	t    reflect.Type
	kind string
}

// leaves lists every key of the project's namespace. A key in a map has one name as an example. A
// key of a store is listed once for each kind that has it.
func leaves() []leaf {
	var all []leaf
	var walk func(path string, t reflect.Type, kinds []string)
	walk = func(path string, t reflect.Type, kinds []string) {
		switch t.Kind() {
		case reflect.Struct:
			for i := range t.NumField() {
				if f := t.Field(i); f.Tag.Get("key") != "" {
					walk(join(path, f.Tag.Get("key")), f.Type, kindsOf(f))
				}
			}
		case reflect.Map:
			name := map[string]string{"tiers": "web", "services": "mca", "policy.levels": "no-rule", "policy.cost.estimates": "natGB", "release.images": "web"}[path]
			walk(join(path, name), t.Elem(), nil)
		default:
			if kinds == nil {
				kinds = []string{""}
			}
			for _, kind := range kinds {
				all = append(all, leaf{path, t, kind})
			}
		}
	}
	walk("", reflect.TypeFor[Stack](), nil)
	return all
}

// complete are the objects to which set adds a key, so that the key has an effect. They are by KEY,
// or by KEY@KIND for a kind of store.
var complete = map[string]map[string]any{
	"postgres":           {"instanceClass": "db.r7g.xlarge"},
	"postgres@inCluster": {"kind": "inCluster", "image": "ecr://debian/postgres:15", "memoryMiB": 4096},
	"redis":              {"nodeType": "cache.r7g.large"},
	"redis@inCluster":    {"kind": "inCluster", "image": "ecr://debian/redis:7"},
	"mongo":              {"kind": "managed", "instanceClass": "db.r6g.large"},
	"mongo@url": {
		"kind": "url", "url": "mongodb+srv://u@h.example/", "passwordSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:m-AbCdEf", "cidrs": []string{"10.60.0.0/24"},
	},
	"edge":    {"domain": "example.com", "zone": "example.com"},
	"network": {"cidr": "10.20.0.0/16", "zones": []string{"us-east-1a", "us-east-1b", "us-east-1c"}},
	"cluster": {"privateAccessCidrs": []string{"10.99.0.0/16"}, "admins": []string{"arn:aws:iam::123456789012:role/operators"}},
	"auth":    {"issuer": "a", "audience": "b", "jwksUrl": "https://a/b"},
}

// textOf returns a value of a key as Pulumi passes it on: text as it is, anything else as JSON.
func textOf(t require.TestingT, value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}

// set returns a valid configuration in which a key has a value.
func (l leaf) set(t require.TestingT, value any) map[string]string {
	top, rest, nested := strings.Cut(l.path, ".")
	if !nested {
		values := validValues()
		values[Project+":"+top] = textOf(t, value)
		return values
	}
	object := maps.Clone(complete[top])
	if ofKind, has := complete[top+"@"+l.kind]; has {
		object = maps.Clone(ofKind)
	}
	if object == nil {
		object = map[string]any{}
	}
	at := object
	for parent, key, more := strings.Cut(rest, "."); more; parent, key, more = strings.Cut(rest, ".") {
		inner := map[string]any{}
		at[parent], at, rest = inner, inner, key
	}
	at[rest] = value
	values := validValues()
	values[Project+":"+top] = textOf(t, object)
	return values
}

// problemsAt returns the errors of Load for a key or its members.
func problemsAt(values map[string]string, path string) []*field.Error {
	_, err := Load("prod", values)
	var all *Error
	if !errors.As(err, &all) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all.Problems), func(p *field.Error) bool { return !within(p.Field, Project+":"+path) })
}

// Every number is within its bound, or refused by its path. No number means "not
// given".
func TestEveryNumberHasABound(t *testing.T) {
	seen := 0
	for _, l := range leaves() {
		if l.t.Kind() != reflect.Int {
			continue
		}
		seen++
		pattern := strings.NewReplacer("tiers.web.", "tiers.*.", "services.mca.", "services.*.", "estimates.natGB", "estimates.*").Replace(l.path)
		b, ok := numberBounds(pattern, l.kind)
		require.True(t, ok, "%s must have bounds", pattern)
		for _, n := range []json.Number{"0", "-1", "1", json.Number(fmt.Sprint(b.Min - 1)), json.Number(fmt.Sprint(b.Max + 1)), "2147483648", "9223372036854775808", "-9223372036854775809"} {
			problems := problemsAt(l.set(t, n), l.path)
			value, err := n.Int64()
			if err == nil && value >= int64(b.Min) && value <= int64(b.Max) {
				for _, p := range problems {
					require.NotContains(t, p.Detail, fmt.Sprintf("must be %d to %d", b.Min, b.Max), "%s: %s", l.path, n)
				}
				continue
			}
			require.NotEmpty(t, problems, "%s: %s must be refused", l.path, n)
			require.Contains(t, problems[0].Detail, fmt.Sprintf("must be %d to %d", b.Min, b.Max), "%s: %s", l.path, n)
		}
		for _, wrong := range []any{json.Number("1.5"), json.Number("1e3"), "5", true, []string{}, map[string]any{}} {
			problems := problemsAt(l.set(t, wrong), l.path)
			require.NotEmpty(t, problems, "%s: %v must be refused", l.path, wrong)
			require.Contains(t, problems[0].Detail, "must be a whole number", "%s: %v", l.path, wrong)
		}
	}
	require.Greater(t, seen, 20)
}

// Every bound, and every key of a condition, belongs to a key that exists.
func TestEveryBoundAndConditionBelongsToAKey(t *testing.T) {
	known := paths()
	for pattern := range numbers {
		path, _, _ := strings.Cut(pattern, "@")
		require.Contains(t, known, path)
	}
	for pattern := range listBounds {
		require.Contains(t, known, pattern)
	}
	for _, c := range conditions {
		for _, key := range c.keys {
			require.True(t, slices.ContainsFunc(known, func(p string) bool { return p == key || strings.HasPrefix(p, key+".") }), key)
		}
	}
}

// null and an empty string never mean "not given". An empty list and false have
// their own effect, or are refused.
func TestEmptyValuesAreNotAbsent(t *testing.T) {
	for _, l := range leaves() {
		if strings.Contains(l.path, ".") {
			problems := problemsAt(l.set(t, nil), l.path)
			require.NotEmpty(t, problems, "%s: null must be refused", l.path)
			require.Contains(t, problems[0].Detail, "must not be null", l.path)
		}
		switch l.t.Kind() {
		case reflect.String:
			problems := problemsAt(l.set(t, ""), l.path)
			require.NotEmpty(t, problems, "%s: empty text must be refused", l.path)
			require.NotEmpty(t, problemsAt(l.set(t, " padded"), l.path), "%s: a space must be refused", l.path)
		case reflect.Slice:
			pattern := strings.Replace(l.path, "tiers.web.", "tiers.*.", 1)
			if b, ok := listBounds[pattern]; ok && b.Min > 0 {
				require.NotEmpty(t, problemsAt(l.set(t, []string{}), l.path), "%s: an empty list must be refused", l.path)
			} else {
				require.Empty(t, problemsAt(l.set(t, []string{}), l.path), "%s: an empty list means none", l.path)
			}
			problems := problemsAt(l.set(t, []string{"x", "x"}), l.path)
			require.NotEmpty(t, problems, "%s: an entry twice must be refused", l.path)
		}
	}
}

// The bounds of this package are the same as those of the components. A component accepts the bound
// and refuses the next number.
func TestComponentsAcceptExactlyTheBounds(t *testing.T) {
	base := func() Stack {
		s := defaults()
		s.Environment, s.Postgres.InstanceClass, s.Redis.NodeType, s.Mongo.InstanceClass = "x", "db.r7g.16xlarge", "cache.r7g.large", "db.r6g.large"
		return s
	}
	database := func(s *Stack) error { _, _, err := s.Database().Complete(); return err }
	cache := func(s *Stack) error { _, _, err := s.Cache().Complete(); return err }
	documents := func(s *Stack) error { _, err := s.Documents().Complete(); return err }
	for key, tc := range map[string]struct {
		field func(*Stack) *int
		check func(*Stack) error
	}{
		"postgres.storageGiB@managed": {func(s *Stack) *int { return &s.Postgres.StorageGiB }, database},
		"postgres.connections":        {func(s *Stack) *int { return &s.Postgres.Connections }, database},
		"postgres.backupDays":         {func(s *Stack) *int { return &s.Postgres.BackupDays }, database},
		"redis.replicasPerShard":      {func(s *Stack) *int { return &s.Redis.ReplicasPerShard }, cache},
		"redis.shards":                {func(s *Stack) *int { return &s.Redis.Shards }, cache},
		"redis.snapshotDays":          {func(s *Stack) *int { return &s.Redis.SnapshotDays }, cache},
		"mongo.instances":             {func(s *Stack) *int { return &s.Mongo.Instances }, documents},
		"mongo.backupDays":            {func(s *Stack) *int { return &s.Mongo.BackupDays }, documents},
	} {
		b := numbers[key]
		for n, ok := range map[int]bool{b.Min: true, b.Max: true, b.Max + 1: false, b.Min - 1: b.Min == 1} { // a component takes 0 for its default
			s := base()
			*tc.field(&s) = n
			require.Equal(t, ok, tc.check(&s) == nil, "%s = %d: %v", key, n, tc.check(&s))
		}
	}
}

// Each member of a store has the tag kinds. Without it a member could be ignored without an error.
func TestEveryMemberOfAStoreHasTheTagKinds(t *testing.T) {
	for _, t1 := range []reflect.Type{reflect.TypeFor[Postgres](), reflect.TypeFor[Redis](), reflect.TypeFor[Mongo]()} {
		f, _ := t1.FieldByName("Kind")
		values := valuesOf(f)
		for i := range t1.NumField() {
			if m := t1.Field(i); m.Name != "Kind" && m.Tag.Get("key") != "" {
				require.NotEmpty(t, kindsOf(m), "%s.%s", t1.Name(), m.Name)
				require.Subset(t, values, kindsOf(m))
			}
		}
	}
}
