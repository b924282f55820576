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
	path      string
	valueType reflect.Type
	kind      string
}

// leaves lists every key of the project's namespace. A key in a map has one name as an example. A
// key of a store is listed once for each kind that has it.
func leaves() []leaf {
	var found []leaf
	var walk func(path string, t reflect.Type, kinds []string)
	walk = func(path string, t reflect.Type, kinds []string) {
		switch t.Kind() {
		case reflect.Struct:
			for i := range t.NumField() {
				if f := t.Field(i); f.Tag.Get("key") != "" {
					walk(join(path, f.Tag.Get("key")), f.Type, allowedKinds(f))
				}
			}
		case reflect.Map:
			exampleName := map[string]string{"tiers": "web", "services": "mca", "policy.levels": "no-rule", "policy.cost.estimates": "natGB", "release.images": "web"}[path]
			walk(join(path, exampleName), t.Elem(), nil)
		default:
			if kinds == nil {
				kinds = []string{""}
			}
			for _, kind := range kinds {
				found = append(found, leaf{path, t, kind})
			}
		}
	}
	walk("", reflect.TypeFor[Stack](), nil)
	return found
}

// completeObjects are the objects to which projectConfigWith adds a key, so that the key has an
// effect. They are by KEY, or by KEY@KIND for a kind of store.
var completeObjects = map[string]map[string]any{
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

// encodeValue returns a value of a key as Pulumi passes it on: text as it is, anything else as
// JSON.
func encodeValue(t require.TestingT, value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}

// projectConfigWith returns a valid configuration in which a key of the project's namespace has a
// value.
func (l leaf) projectConfigWith(t require.TestingT, value any) map[string]string {
	top, members, nested := strings.Cut(l.path, ".")
	if !nested {
		values := validValues()
		values[Project+":"+top] = encodeValue(t, value)
		return values
	}
	object := maps.Clone(completeObjects[top])
	if objectOfKind, found := completeObjects[top+"@"+l.kind]; found {
		object = maps.Clone(objectOfKind)
	}
	if object == nil {
		object = map[string]any{}
	}
	names := strings.Split(members, ".")
	last := len(names) - 1
	parentObject := object
	for _, name := range names[:last] {
		inner := map[string]any{}
		parentObject[name] = inner
		parentObject = inner
	}
	parentObject[names[last]] = value
	values := validValues()
	values[Project+":"+top] = encodeValue(t, object)
	return values
}

// loadProblemsAt returns the errors of Load for a key or its members.
func loadProblemsAt(values map[string]string, path string) []*field.Error {
	_, err := Load("prod", values)
	var loadErr *Error
	if !errors.As(err, &loadErr) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(loadErr.Problems), func(p *field.Error) bool { return !isWithin(p.Field, Project+":"+path) })
}

// Every number is within its bound, or refused by its path. No number means "not
// given".
func TestEveryNumberHasABound(t *testing.T) {
	seen := 0
	for _, l := range leaves() {
		if l.valueType.Kind() != reflect.Int {
			continue
		}
		seen++
		pattern := strings.NewReplacer("tiers.web.", "tiers.*.", "services.mca.", "services.*.", "estimates.natGB", "estimates.*").Replace(l.path)
		b, ok := findNumberBound(pattern, l.kind)
		require.True(t, ok, "%s must have bounds", pattern)
		for _, n := range []json.Number{"0", "-1", "1", json.Number(fmt.Sprint(b.Min - 1)), json.Number(fmt.Sprint(b.Max + 1)), "2147483648", "9223372036854775808", "-9223372036854775809"} {
			problems := loadProblemsAt(l.projectConfigWith(t, n), l.path)
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
			problems := loadProblemsAt(l.projectConfigWith(t, wrong), l.path)
			require.NotEmpty(t, problems, "%s: %v must be refused", l.path, wrong)
			require.Contains(t, problems[0].Detail, "must be a whole number", "%s: %v", l.path, wrong)
		}
	}
	require.Greater(t, seen, 20)
}

// Every bound and every condition names configuration keys that exist.
func TestBoundsAndConditionsNameExistingKeys(t *testing.T) {
	known := keyPaths()
	for pattern := range numberBounds {
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
			problems := loadProblemsAt(l.projectConfigWith(t, nil), l.path)
			require.NotEmpty(t, problems, "%s: null must be refused", l.path)
			require.Contains(t, problems[0].Detail, "must not be null", l.path)
		}
		switch l.valueType.Kind() {
		case reflect.String:
			problems := loadProblemsAt(l.projectConfigWith(t, ""), l.path)
			require.NotEmpty(t, problems, "%s: empty text must be refused", l.path)
			require.NotEmpty(t, loadProblemsAt(l.projectConfigWith(t, " padded"), l.path), "%s: a space must be refused", l.path)
		case reflect.Slice:
			pattern := strings.Replace(l.path, "tiers.web.", "tiers.*.", 1)
			if b, ok := listBounds[pattern]; ok && b.Min > 0 {
				require.NotEmpty(t, loadProblemsAt(l.projectConfigWith(t, []string{}), l.path), "%s: an empty list must be refused", l.path)
			} else {
				require.Empty(t, loadProblemsAt(l.projectConfigWith(t, []string{}), l.path), "%s: an empty list means none", l.path)
			}
			problems := loadProblemsAt(l.projectConfigWith(t, []string{"x", "x"}), l.path)
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
	documents := func(s *Stack) error { _, err := s.DocumentDB().Complete(); return err }
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
		b := numberBounds[key]
		// Min - 1 is accepted only if it is 0, because 0 means the component's default.
		for n, ok := range map[int]bool{b.Min: true, b.Max: true, b.Max + 1: false, b.Min - 1: b.Min == 1} {
			s := base()
			*tc.field(&s) = n
			require.Equal(t, ok, tc.check(&s) == nil, "%s = %d: %v", key, n, tc.check(&s))
		}
	}
}

// Each field of a store has the tag kinds. A field without the tag could be ignored without an error.
func TestEveryStoreFieldHasTheTagKinds(t *testing.T) {
	for _, storeType := range []reflect.Type{reflect.TypeFor[Postgres](), reflect.TypeFor[Redis](), reflect.TypeFor[Mongo]()} {
		f, _ := storeType.FieldByName("Kind")
		values := allowedValues(f)
		for i := range storeType.NumField() {
			if m := storeType.Field(i); m.Name != "Kind" && m.Tag.Get("key") != "" {
				require.NotEmpty(t, allowedKinds(m), "%s.%s", storeType.Name(), m.Name)
				require.Subset(t, values, allowedKinds(m))
			}
		}
	}
}
