package rules

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	cacheUserType      = "aws:elasticache/user:User"
	cacheUserGroupType = "aws:elasticache/userGroup:UserGroup"
)

var (
	// toCacheUser is a reference of a user group to a user. The user "default" exists
	// without a resource. A user can be deleted while a group refers to it, because AWS
	// removes the user from its groups.
	toCacheUser = &Ref{
		To: []string{cacheUserType}, By: []string{"userId"}, Noun: "user", Missing: "UserNotFound",
		Predefined: func(id string) bool { return id == defaultUser },
	}
	// toCacheUserGroup is a reference of a replication group to a user group.
	toCacheUserGroup = &Ref{To: []string{cacheUserGroupType}, By: []string{"userGroupId"}, Noun: "user group", Missing: "UserGroupNotFound", InUseCode: "InvalidUserGroupState"}
)

const defaultUser = "default"

var (
	cacheEngines      = []string{"redis", "valkey", "REDIS", "VALKEY"}
	checkCacheID      = all(length(1, 40), pattern(`[a-z](?:-?[a-z0-9])*`, "lower-case letters, digits and single hyphens, beginning with a letter and not ending with a hyphen"))
	checkUserPassword = hideValue(length(16, 128))
)

var _ = registerRows(
	&Row{
		Token:  cacheUserType,
		Source: "elasticache/user.go", Page: "AmazonElastiCache/latest/APIReference/API_CreateUser.html",
		Label: "ElastiCache User", ID: "{userId}", NotFound: "UserNotFound",
		ExistsCode: "UserAlreadyExists", ExistsText: "User {userId} already exists.",
		Props: Props{
			"userId":                           {Replace: true, Valid: checkCacheID},
			"userName":                         {Replace: true, Valid: length(1, 128)},
			"engine":                           {Enum: cacheEngines, Same: strings.EqualFold},
			"accessString":                     {Valid: pattern(`(?:on|off)(?: \S+)*`, "an access string that begins with on or off, as in on ~* +@all")},
			"noPasswordRequired":               {Default: false},
			"passwords":                        {Set: true, Min: 1, Max: 2, Valid: checkUserPassword},
			"authenticationMode":               {Computed: true},
			"authenticationMode.type":          {},
			"authenticationMode.passwords":     {Set: true, Min: 1, Max: 2, Valid: checkUserPassword},
			"authenticationMode.passwordCount": {Computed: true},
		},
		AtMostOne:    [][]string{{"passwords", "authenticationMode"}},
		Outputs:      map[string]string{"arn": "arn:{partition}:elasticache:{region}:{account}:user:{userId}"},
		Check:        checkCacheUser,
		Fill:         fillCacheUser,
		BeforeDelete: removeFromUserGroups,
	},
	&Row{
		Token:  cacheUserGroupType,
		Source: "elasticache/user_group.go", Page: "AmazonElastiCache/latest/APIReference/API_CreateUserGroup.html",
		Label: "ElastiCache User Group", ID: "{userGroupId}", NotFound: "UserGroupNotFound",
		ExistsCode: "UserGroupAlreadyExists", ExistsText: "User group {userGroupId} already exists.",
		Props: Props{
			"userGroupId": {Replace: true, Valid: checkCacheID},
			"engine":      {Replace: true, Enum: cacheEngines, Same: strings.EqualFold},
			"userIds":     {Set: true, Ref: toCacheUser},
		},
		Outputs: map[string]string{"arn": "arn:{partition}:elasticache:{region}:{account}:usergroup:{userGroupId}"},
		Verify:  verifyUserGroup,
	},
)

// checkCacheUser checks that a user has exactly one kind of authentication. It also checks that
// the name of an IAM user is equal to the id.
func checkCacheUser(in Object, fail Fail) {
	mode := in.Object("authenticationMode")
	if in.Has("authenticationMode") && mode.Known("type") && (mode.String("type") == "password") != mode.Has("passwords") {
		fail("authenticationMode.passwords", "must be given for the type password, and for no other type")
	}
	if mode.String("type") == "iam" && in.Known("userName") && in.Known("userId") && in.String("userName") != in.String("userId") {
		fail("userName", "must be the userId for users of IAM")
	}
	noPasswordUnknown := in.Has("noPasswordRequired") && !in.Known("noPasswordRequired")
	if noPasswordUnknown && !in.Has("passwords") && !in.Has("authenticationMode") {
		return // whether a password is required is not known yet
	}
	if !in.Has("authenticationMode") && in.Has("passwords") == in.Bool("noPasswordRequired") {
		fail("passwords", "exactly one of passwords, noPasswordRequired and authenticationMode must be given")
	}
}

// fillCacheUser sets the kind of authentication that AWS returns.
func fillCacheUser(c *Call) error {
	mode := c.In.Object("authenticationMode")
	passwords := append(c.In.Strings("passwords"), mode.Strings("passwords")...)
	kind := mode.String("type")
	switch {
	case kind == "no-password-required", kind == "" && len(passwords) == 0:
		kind = "no-password"
	case kind == "":
		kind = "password"
	}
	if !c.In.Has("authenticationMode") {
		c.Out["authenticationMode"] = map[string]any{"type": kind, "passwordCount": float64(len(passwords))}
		return nil
	}
	c.Out["authenticationMode"] = addDefaults(mode, map[string]any{"passwordCount": float64(len(passwords))})
	return nil
}

// verifyUserGroup returns an error for two users with the same name, and for a Redis
// group without a user of the name "default".
func verifyUserGroup(c *Call) error {
	names := map[string]bool{}
	for _, id := range c.In.Strings("userIds") {
		name := id
		if user, ok := c.resolve(toCacheUser, id); ok && user.ID != "" {
			name = Object(user.State).String("userName")
		}
		if names[name] {
			return refuse("DuplicateUserName", "Duplicate user name %s in user group %s", name, c.In.String("userGroupId"))
		}
		names[name] = true
	}
	if strings.EqualFold(c.In.String("engine"), "redis") && !names[defaultUser] {
		return refuse("DefaultUserRequired", "A user group of Redis needs a user with the name %s", defaultUser)
	}
	return nil
}

// removeFromUserGroups removes a user from its groups. It returns an error if the user is the
// default user of a group.
func removeFromUserGroups(c *Call) error {
	var refused error
	c.Tx.Each(c.scope(c.Row), cacheUserGroupType, func(o store.Object) bool {
		ids := Object(o.State).Strings("userIds")
		if !slices.Contains(ids, c.ID) {
			return true
		}
		if c.Old.String("userName") == defaultUser {
			refused = refuse("DefaultUserAssociatedToUserGroup", "%s is the default user of user group %s", c.ID, o.ID)
			return false
		}
		group, _ := c.Tx.Get(o.Key)
		remaining := []any{}
		for _, id := range ids {
			if id != c.ID {
				remaining = append(remaining, id)
			}
		}
		group.State["userIds"] = remaining
		c.Tx.Put(group)
		return true
	})
	return refused
}

// verifyUsableUserGroups returns an error for user groups that a replication group cannot use.
// The replication group must have encryption in transit. A group for Redis can be used with both
// engines, a group for Valkey only with Valkey.
func verifyUsableUserGroups(c *Call, engine string) error {
	for _, group := range c.referencedObjects("userGroupIds") {
		if !c.effectiveBool("transitEncryptionEnabled") {
			return refuse("InvalidParameterCombination", "User group based access control requires encryption-in-transit to be enabled: %s", group.ID)
		}
		if groupEngine := strings.ToLower(Object(group.State).String("engine")); groupEngine != engine && groupEngine != "redis" {
			return refuse("InvalidParameterCombination", "User group %s is for %s, the replication group runs %s", group.ID, groupEngine, engine)
		}
	}
	return nil
}
