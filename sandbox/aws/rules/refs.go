package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// verifyReferences returns an error if an input refers to an object that does not exist.
// At an update it checks only references that the old state does not have, as AWS does.
func (c *Call) verifyReferences() error {
	for path, p := range c.Row.Props {
		if p.Ref == nil {
			continue
		}
		var oldValues []string
		for _, l := range leaves(c.Old, path) {
			if s, ok := l.value.(string); ok {
				oldValues = append(oldValues, s)
			}
		}
		for _, l := range leaves(c.In, path) {
			value, ok := l.value.(string)
			if !ok || value == "" || slices.Contains(oldValues, value) {
				continue
			}
			if _, ok := c.resolve(p.Ref, value); !ok {
				return refuse(p.Ref.Missing, "The %s '%s' does not exist (property %s)", p.Ref.Noun, value, l.path)
			}
		}
	}
	return nil
}

// resolve returns the object to which a value refers; ok is false if there is no such object.
// For an object that AWS itself defines, ok is true and the object is empty.
func (c *Call) resolve(ref *Ref, value string) (object store.Object, ok bool) {
	for _, token := range ref.To {
		row, ok := rows[token]
		if !ok {
			continue
		}
		if o, ok := c.lookup(row, ref, value); ok {
			return o, true
		}
	}
	if ref.Predefined != nil && ref.Predefined(value) {
		return store.Object{}, true
	}
	return store.Object{}, false
}

// lookup returns the object to which a value refers; ok is false if there is no such object.
// row is the row of the object's type.
func (c *Call) lookup(row *Row, ref *Ref, value string) (object store.Object, ok bool) {
	scope := c.scope(row)
	// An ARN can refer to an object in another region.
	if region := regionOfARN(value); region != "" && !row.Global {
		scope.Region = region
	}
	if slices.Equal(ref.byProps(), []string{"id"}) {
		return c.Tx.Get(store.Key{Scope: scope, Type: row.Token, ID: value})
	}
	c.Tx.Each(scope, row.Token, func(o store.Object) bool {
		object, ok = o, ref.matches(o, value)
		return !ok
	})
	return object, ok
}

// regionOfARN returns the region in an ARN. It returns "" for an ARN without a region and
// for any other text.
func regionOfARN(value string) string {
	parts := strings.SplitN(value, ":", 6) // arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[3]
}

// byProps returns By, or its default "id" if By is empty.
func (r *Ref) byProps() []string {
	if len(r.By) == 0 {
		return []string{"id"}
	}
	return r.By
}

// matches reports whether a value refers to the object o.
func (r *Ref) matches(o store.Object, value string) bool {
	return slices.ContainsFunc(r.byProps(), func(by string) bool {
		if by == "id" {
			return o.ID == value
		}
		return o.State[by] == value
	})
}

// referencedObject returns the object to which a property of the inputs refers. ok is false if
// there is no such object, or if AWS itself defines the object.
func (c *Call) referencedObject(path string) (object store.Object, ok bool) {
	for _, l := range leaves(c.In, path) {
		if value, isString := l.value.(string); isString {
			if o, ok := c.resolve(c.Row.Props[path].Ref, value); ok && o.ID != "" {
				return o, true
			}
		}
	}
	return store.Object{}, false
}

// referencedObjects returns the objects to which a list property refers. It leaves out objects
// that AWS itself defines.
func (c *Call) referencedObjects(path string) []store.Object {
	var out []store.Object
	for _, l := range leaves(c.In, path) {
		if value, isString := l.value.(string); isString {
			if o, ok := c.resolve(c.Row.Props[path].Ref, value); ok && o.ID != "" {
				out = append(out, o)
			}
		}
	}
	return out
}

// verifyNotReferenced returns AWS's error for the deletion of an object that is in use. An
// object is in use if another object refers to it with a Ref that has an InUseCode. Objects
// that the deleted object owns are not counted.
func (c *Call) verifyNotReferenced() error {
	self, _ := c.Tx.Get(c.key())
	for _, r := range referencesTo(c.Row.Token) {
		if r.ref.InUseCode == "" {
			continue
		}
		var refusal error
		checkReferrer := func(o store.Object) bool {
			if o.Key == self.Key || o.Owner == self.ID {
				return true
			}
			if _, exists := c.Tx.Get(o.Key); !exists {
				return true // deleted by this call
			}
			if path := r.pathTo(o, self); path != "" {
				refusal = refuse(r.ref.InUseCode, "%s '%s' has dependencies and cannot be deleted: %s %s refers to it in %s",
					c.Row.Label, self.ID, r.row.Token, o.ID, path)
				return false
			}
			return true
		}
		for _, scope := range c.referrerScopes(r.row) {
			c.Tx.Each(scope, r.row.Token, checkReferrer)
			if refusal != nil {
				return refusal
			}
		}
	}
	return nil
}

// pathTo returns the path of the property with which the object o refers to target, and ""
// if o does not refer to target.
func (r reference) pathTo(o, target store.Object) string {
	if within := r.ref.Within; within != "" && Object(o.State).String(within) != Object(target.State).String(within) {
		return ""
	}
	for _, l := range leaves(o.State, r.path) {
		if value, ok := l.value.(string); ok && r.ref.matches(target, value) {
			return l.path
		}
	}
	return ""
}

// referrerScopes returns the scopes in which objects of a type can refer to the object of this
// call. Objects of any region can refer to a global object.
func (c *Call) referrerScopes(row *Row) []store.Scope {
	if row.Global || !c.Row.Global {
		return []store.Scope{c.scope(row)}
	}
	var out []store.Scope
	for region := range regions {
		out = append(out, store.Scope{Account: c.Account, Region: region})
	}
	return out
}

// verifyUnique returns AWS's error if another object of the type has the same values in the
// properties of a rule in Row.Unique.
func (c *Call) verifyUnique() error {
	for _, u := range c.Row.Unique {
		values, complete := u.values(c.In)
		if !complete {
			continue
		}
		var conflict *store.Object
		c.Tx.Each(c.scope(c.Row), c.Row.Token, func(o store.Object) bool {
			if o.ID == c.ID {
				return true
			}
			if others, ok := u.values(o.State); ok && slices.Equal(values, others) {
				conflict = &o
				return false
			}
			return true
		})
		if conflict != nil {
			message := u.Message
			for i, name := range u.Props {
				message = strings.ReplaceAll(message, "{"+name+"}", values[i])
			}
			return refuse(u.Code, "%s (%s %s)", message, c.Row.Label, conflict.ID)
		}
	}
	return nil
}

// values returns the values of the properties in o; complete is false if one value is missing
// or zero.
func (u Unique) values(o Object) (values []string, complete bool) {
	for _, name := range u.Props {
		v, ok := o[name]
		if !ok || isZero(v) {
			return nil, false
		}
		values = append(values, fmt.Sprint(v))
	}
	return values, true
}
