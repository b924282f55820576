package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// FindToken returns the token of a type, also of a type in retainedTypes. name is the token or
// the end of the token, such as Subnet or ec2/subnet:Subnet.
func FindToken(name string) (string, error) {
	var found []string
	for _, token := range append(Tokens(), retainedTypes...) {
		if token == name || strings.HasSuffix(token, ":"+name) || token == "aws:"+name {
			found = append(found, token)
		}
	}
	switch len(found) {
	case 0:
		return "", &UnknownTypeError{name}
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("type %s is ambiguous: it may be %s", name, strings.Join(found, " or "))
}

// FindObject returns the object of a type with an id, in any region.
func FindObject(tx *store.Tx, token, id string) (store.Object, error) {
	var found []store.Object
	var ids []string
	for _, o := range tx.All() {
		if o.Type != token {
			continue
		}
		ids = append(ids, o.ID)
		if o.ID == id {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return store.Object{}, fmt.Errorf("no %s has the id %q; existing ids: %s", token, id, strings.Join(ids, ", "))
	case 1:
		object, _ := tx.Get(found[0].Key)
		return object, nil
	}
	return store.Object{}, fmt.Errorf("%s %s is in %s and in %s", token, id, found[0].Region, found[1].Region)
}

// Assignment is the path of a property and the property's new value.
type Assignment struct {
	Path  string
	Value any
}

// UpdateDirect changes properties of an object outside of Pulumi, as a user of the AWS
// console would. It checks only that each value fits the property's type and rules.
func UpdateDirect(ctx context.Context, st *store.Store, token, id string, assignments []Assignment) error {
	s, row, err := schemaAndRow(token)
	if err != nil {
		return err
	}
	return st.Update(ctx, func(tx *store.Tx) error {
		object, err := FindObject(tx, token, id)
		if err != nil {
			return err
		}
		for _, a := range assignments {
			if err := assign(s, row, object.State, a); err != nil {
				return fmt.Errorf("%s %s: %w", token, id, err)
			}
		}
		tx.Put(object)
		return nil
	})
}

// assign sets a property in a state. It returns an error if the value does not fit the
// property's type and rules.
func assign(s *schema.Resource, row *Row, state Object, a Assignment) error {
	path := strings.Split(a.Path, ".")
	name := path[0]
	typ, ok := s.Outputs[name]
	if !ok {
		return fmt.Errorf("no property %q: must be one of %s", name, strings.Join(s.Outputs.Names(), ", "))
	}
	setAtPath(state, path, a.Value)
	if name == "tags" && supportsTags(s) {
		setAtPath(state, append([]string{"tagsAll"}, path[1:]...), a.Value)
	}
	if a.Value == nil && len(path) == 1 {
		return nil // the property was removed
	}
	// The suffix ? makes the property optional, so that its value may be omitted.
	for _, problem := range schema.CheckInputs(schema.Fields{name: typ + "?"}, s.Object, Object{name: state[name]}) {
		return fmt.Errorf("%s: %s", problem.Path, problem.Reason)
	}
	p, hasRule := row.Props[name]
	if !hasRule || strings.HasPrefix(typ, "@") || strings.HasPrefix(typ, "[@") {
		return nil
	}
	var failure error
	v := validator{s: s, row: row, fail: func(path, reason string, args ...any) {
		failure = fmt.Errorf("%s: %s", path, fmt.Sprintf(reason, args...))
	}}
	v.checkValue(typ, p, state[name], name, name)
	return failure
}

// setAtPath sets the value at a path of o. It creates missing maps of the path. The value nil
// removes the property.
func setAtPath(o map[string]any, path []string, value any) {
	for _, name := range path[:len(path)-1] {
		next, ok := o[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			o[name] = next
		}
		o = next
	}
	last := path[len(path)-1]
	if value == nil {
		delete(o, last)
		return
	}
	o[last] = wire.Clone(value)
}

// DeleteDirect removes an object outside of Pulumi. It checks nothing, so other objects may
// refer to an object that no longer exists.
func DeleteDirect(ctx context.Context, st *store.Store, token, id string) error {
	return st.Update(ctx, func(tx *store.Tx) error {
		object, err := FindObject(tx, token, id)
		if err != nil {
			return err
		}
		if slices.Contains(retainedTypes, token) {
			tx.Delete(object.Key)
			return nil
		}
		row, ok := LookupRow(token)
		if !ok {
			return &UnknownTypeError{token}
		}
		c := &Call{Cloud: &Cloud{Account: object.Account, Region: object.Region}, Row: row, Tx: tx, ID: id}
		c.deleteCascade(object.Key)
		return nil
	})
}

// Orphans returns the objects without an owner that are not in known. A program or a user
// created these objects, but no stack manages them. known has a key "TYPE ID" for each resource
// of a Pulumi state.
func Orphans(tx *store.Tx, known map[string]bool) []store.Object {
	return slices.DeleteFunc(tx.All(), func(o store.Object) bool { return o.Owner != "" || known[o.Type+" "+o.ID] })
}

// hiddenValue replaces a secret in output for users.
const hiddenValue = "[secret]"

// Redact returns an object in which hiddenValue replaces the values that pulumi-aws
// marks as secret, at any depth.
func Redact(o store.Object) (store.Object, error) {
	s, ok, err := schema.LookupResource(o.Type)
	if err != nil || !ok || len(s.Secrets) == 0 {
		return o, err
	}
	o.State = wire.CloneMap(o.State)
	redactProperties(o.State, s.Secrets)
	return o, nil
}

// redactProperties replaces the values of the named properties by hiddenValue, at any depth of
// nested objects.
func redactProperties(o map[string]any, names []string) {
	for name, v := range o {
		if slices.Contains(names, name) {
			o[name] = hiddenValue
		} else if inner, ok := v.(map[string]any); ok {
			redactProperties(inner, names)
		}
	}
}
