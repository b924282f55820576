package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
)

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	imageID    = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// validate checks s as a whole and completes it: the parsed VPC block and the
// zones of the control plane.
func validate(s *Stack) field.ErrorList {
	var problems field.ErrorList
	add := func(p ...*field.Error) { problems = append(problems, p...) }

	region := field.NewPath(regionKey)
	switch {
	case s.Region == "":
		add(field.Required(region, "the AWS region of the stack, such as us-east-1"))
	case !regionName.MatchString(s.Region):
		add(field.Invalid(region, s.Region, "must be the name of an AWS region, such as us-east-1"))
	}
	if s.Environment == "" {
		add(field.Required(path("environment"), "names the stack's resources, such as staging"))
	} else if !routing.Environment.MatchString(s.Environment) {
		add(field.Invalid(path("environment"), s.Environment, "must be 1 to 12 lower-case letters and digits and begin with a letter"))
	}
	if s.Account != "" && !accountID.MatchString(s.Account) {
		add(field.Invalid(path("account"), s.Account, `must be twelve digits; quote it in YAML, as in "012345678901"`))
	}
	add(unsupported(nil, reflect.ValueOf(*s), false)...)
	add(validateNetwork(s)...)
	add(validateCluster(s)...)
	if p := s.FrontDoor.NodePort; p != 0 && (p < routing.MinNodePort || p > routing.MaxNodePort) {
		add(field.Invalid(path("frontDoor.nodePort"), p, fmt.Sprintf("must be %d to %d", routing.MinNodePort, routing.MaxNodePort)))
	}
	add(validateTiers(s.Tiers)...)
	add(validateAuth(s.Auth)...)
	add(validateEdge(s)...)
	add(validateStores(s)...)
	add(validateServices(s.Services)...)
	return problems
}

func validateNetwork(s *Stack) field.ErrorList {
	var problems field.ErrorList
	at := path("network")
	if s.Network.CIDR == "" {
		problems = append(problems, field.Required(at.Child("cidr"), "the VPC's IPv4 block, such as 10.0.0.0/16"))
	} else if block, err := subnet.ParseVPC(s.Network.CIDR); err != nil {
		problems = append(problems, field.Invalid(at.Child("cidr"), s.Network.CIDR, err.Error()))
	} else {
		s.Network.Block = block
	}
	if regionName.MatchString(s.Region) {
		for _, err := range subnet.CheckZones(s.Region, s.Network.Zones) {
			problems = append(problems, field.Invalid(at.Child("zones"), s.Network.Zones, err.Error()))
		}
	}
	return problems
}

// validateCluster checks the cluster and completes the zones of its control
// plane.
func validateCluster(s *Stack) field.ErrorList {
	var problems field.ErrorList
	at := path("cluster")
	c := &s.Cluster
	if len(c.Zones) == 0 {
		zones := slices.Sorted(slices.Values(s.Network.Zones))
		c.Zones = zones[:min(subnet.MinZones, len(zones))]
	} else if err := eksspec.Zones(c.Zones, s.Network.Zones); err != nil {
		problems = append(problems, field.Invalid(at.Child("zones"), c.Zones, err.Error()))
	}
	if c.RequestPercent < 1 || c.RequestPercent > 100 {
		problems = append(problems, field.Invalid(at.Child("requestPercent"), c.RequestPercent, "must be 1 to 100"))
	}
	for i, arn := range c.Admins {
		if _, err := eksspec.Admin(arn); err != nil {
			problems = append(problems, field.Invalid(at.Child("admins").Index(i), arn, err.Error()))
		}
	}
	for i, cidr := range c.PublicAccessCIDRs {
		block, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil || block != block.Masked():
			problems = append(problems, field.Invalid(at.Child("publicAccessCidrs").Index(i), cidr, "must be a block such as 203.0.113.0/24"))
		case block.Bits() == 0:
			problems = append(problems, field.Invalid(at.Child("publicAccessCidrs").Index(i), cidr, "opens the API endpoint to the whole internet; name the blocks that need it"))
		}
	}
	return problems
}

func validateAuth(a Auth) field.ErrorList {
	var problems field.ErrorList
	at := path("auth")
	for name, value := range map[string]string{"issuer": a.Issuer, "audience": a.Audience} {
		if value == "" {
			problems = append(problems, field.Required(at.Child(name), "whose tokens the services accept, and which of them"))
		}
	}
	switch keys, err := url.Parse(a.JWKSURL); {
	case (a.JWKSURL == "") == (a.JWKSFile == ""):
		problems = append(problems, field.Invalid(at, "", "must have jwksUrl or jwksFile, and not both: where the issuer's keys are"))
	case a.JWKSURL != "" && (err != nil || keys.Scheme != "https" || keys.Host == ""):
		problems = append(problems, field.Invalid(at.Child("jwksUrl"), a.JWKSURL, "must be an https URL: whoever changes the keys on their way signs tokens"))
	}
	return problems
}

func validateServices(overrides Services) field.ErrorList {
	var (
		problems field.ErrorList
		known    []string
	)
	for _, p := range scaling.Services() {
		known = append(known, p.Short)
	}
	for name, o := range overrides {
		at := path("services").Child(name)
		if !slices.Contains(known, name) {
			problems = append(problems, field.NotSupported(path("services"), name, known))
		}
		if o.Replicas < 0 || o.Replicas > scaling.MaxReplicas {
			problems = append(problems, field.Invalid(at.Child("replicas"), o.Replicas, fmt.Sprintf("must be 1 to %d; leave it out for the profile's", scaling.MaxReplicas)))
		}
	}
	return problems
}
