package rules

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The stand-in refuses to delete a template that a group uses. AWS's pages do not say
// whether EC2 refuses the deletion. The stand-in's authors chose the error code.
var (
	toLaunchTemplate     = &Ref{To: []string{launchTemplateType}, Noun: "launch template ID", Missing: "ValidationError", InUseCode: "ResourceInUse"}
	toLaunchTemplateName = &Ref{To: []string{launchTemplateType}, By: []string{"name"}, Noun: "launch template name", Missing: "ValidationError", InUseCode: "ResourceInUse"}
)

// The paths of two properties of a mixed instances policy.
const (
	mixedSpecProp      = "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification"
	mixedOverridesProp = "mixedInstancesPolicy.launchTemplate.overrides"
)

// incompleteTemplate is the beginning of the errors about a template from which a group can't launch
// instances.
const incompleteTemplate = "You must use a valid fully-formed launch template. "

// templateUse is one template from which a group launches instances.
type templateUse struct {
	path     string // the path of the property that refers to the template
	template store.Object
	version  string
	// overrideTypes are the instance types of the overrides that launch from the template.
	overrideTypes []string
}

// templateUses returns the launch templates of a group. A template that does not exist is left
// out.
func (c *Call) templateUses(o Object) []templateUse {
	var out []templateUse
	addUse := func(path string, spec Object, idProp, nameProp string, overrideTypes ...string) {
		if spec == nil {
			return
		}
		template, ok := c.resolve(toLaunchTemplate, spec.String(idProp))
		if !ok {
			template, ok = c.resolve(toLaunchTemplateName, spec.String(nameProp))
		}
		if ok {
			out = append(out, templateUse{path, template, spec.String("version"), overrideTypes})
		}
	}
	addUse("launchTemplate", o.Object("launchTemplate"), "id", "name")
	mixed := o.Object("mixedInstancesPolicy").Object("launchTemplate")
	var sharedTypes []string // of the overrides without a template of their own
	for i, override := range mixed.Objects("overrides") {
		var types []string
		if override.Has("instanceType") {
			types = []string{override.String("instanceType")}
		}
		spec := override.Object("launchTemplateSpecification")
		if spec == nil {
			sharedTypes = append(sharedTypes, types...)
		}
		addUse(fmt.Sprintf("%s[%d].launchTemplateSpecification", mixedOverridesProp, i), spec, "launchTemplateId", "launchTemplateName", types...)
	}
	addUse(mixedSpecProp, mixed.Object("launchTemplateSpecification"), "launchTemplateId", "launchTemplateName", sharedTypes...)
	return out
}

// completeLaunchTemplate returns a copy of spec, a reference to a launch template, with the id
// and the name of the template. AWS completes a reference in the same way. The default
// version is $Default. idProp and nameProp are the properties of spec for the id and the name.
func (c *Call) completeLaunchTemplate(spec Object, idProp, nameProp string) map[string]any {
	template, ok := c.resolve(toLaunchTemplate, spec.String(idProp))
	if !ok {
		template, _ = c.resolve(toLaunchTemplateName, spec.String(nameProp))
	}
	out := addDefaults(spec, map[string]any{"version": "$Default"})
	out[idProp], out[nameProp] = template.ID, template.State["name"]
	return out
}

// fillLaunchTemplates completes the references of a group to its launch templates. It also
// sets the defaults of the mixed instances policy.
func (c *Call) fillLaunchTemplates() {
	if c.In.Object("launchTemplate") != nil {
		c.Out["launchTemplate"] = c.completeLaunchTemplate(c.In.Object("launchTemplate"), "id", "name")
	} else {
		delete(c.Out, "launchTemplate")
	}
	if !c.In.Has("mixedInstancesPolicy") {
		delete(c.Out, "mixedInstancesPolicy")
		return
	}
	mixed := addDefaults(c.Out.Object("mixedInstancesPolicy"), nil)
	template := addDefaults(c.In.Object("mixedInstancesPolicy").Object("launchTemplate"), nil)
	template["launchTemplateSpecification"] = c.completeLaunchTemplate(Object(template).Object("launchTemplateSpecification"), "launchTemplateId", "launchTemplateName")
	mixed["launchTemplate"] = template
	mixed["instancesDistribution"] = addDefaults(Object(mixed).Object("instancesDistribution"), distributionDefaults(c.In.Object("mixedInstancesPolicy")))
	c.Out["mixedInstancesPolicy"] = mixed
}

// verifyScalingGroup returns an error if the group could not launch instances, or could not
// attach the instances to its target groups. The error code and the texts were not checked
// against AWS's documentation.
func verifyScalingGroup(c *Call) error {
	vpcID := ""
	for _, subnet := range c.referencedObjects("vpcZoneIdentifiers") {
		vpc := Object(subnet.State).String("vpcId")
		if vpcID != "" && vpc != vpcID {
			return refuse("ValidationError", "The subnets of a group must be in one VPC: %s is in %s", subnet.ID, vpc)
		}
		vpcID = vpc
	}
	for _, use := range c.templateUses(c.In) {
		if err := c.verifyLaunch(use, vpcID); err != nil {
			return err
		}
	}
	for _, target := range c.referencedObjects("targetGroupArns") {
		if err := verifyAttachable(target, vpcID); err != nil {
			return err
		}
	}
	return nil
}

// verifyLaunch returns an error if a group could not launch instances from a template. The
// causes are a version that does not exist, a missing image or instance type, an image that does
// not fit the instance types or the volume, and a security group outside of the VPC.
func (c *Call) verifyLaunch(use templateUse, vpcID string) error {
	template := Object(use.template.State)
	if n, err := strconv.Atoi(use.version); err == nil && n > template.Int("latestVersion") {
		return refuse("ValidationError", incompleteTemplate+"Could not find launch template version %d (property %s.version)", n, use.path)
	}
	if !template.Has("imageId") {
		return refuse("ValidationError", incompleteTemplate+"The request must contain the parameter ImageId (%s)", use.template.ID)
	}
	instanceTypes := use.overrideTypes
	if len(c.In.Object("mixedInstancesPolicy").Object("launchTemplate").Objects("overrides")) == 0 {
		switch {
		case template.Has("instanceType"):
			instanceTypes = []string{template.String("instanceType")}
		case !template.Has("instanceRequirements"):
			return refuse("ValidationError", incompleteTemplate+"The request must contain the parameter InstanceType (%s)", use.template.ID)
		}
	}
	if err := c.verifyImage(template, instanceTypes); err != nil {
		return err
	}
	for _, id := range templateSecurityGroups(template) {
		if group, ok := c.resolve(toSecurityGroup, id); !ok || Object(group.State).String("vpcId") != vpcID {
			return refuse("ValidationError", incompleteTemplate+"The security group '%s' does not exist in VPC '%s'", id, vpcID)
		}
	}
	return nil
}

// verifyAttachable returns an error for a target group that cannot have instances of a
// VPC as targets.
func verifyAttachable(target store.Object, vpcID string) error {
	state := Object(target.State)
	if state.String("targetType") != "instance" {
		return refuse("ValidationError", "Provided Target Groups may not be valid: %s has targets of the type %s, a group has instances", target.ID, state.String("targetType"))
	}
	if state.String("vpcId") != vpcID {
		return refuse("ValidationError", "Provided Target Groups may not be valid: %s is in %s, the group in %s", target.ID, state.String("vpcId"), vpcID)
	}
	return nil
}

// refreshScalingGroup adds the target groups that separate attachment resources attach
// to the group.
func refreshScalingGroup(c *Call) error {
	arns := c.Out.Strings("targetGroupArns")
	c.Tx.Each(c.scope(c.Row), scalingAttachmentType, func(o store.Object) bool {
		attached := Object(o.State)
		if target := attached.String("lbTargetGroupArn"); attached.String("autoscalingGroupName") == c.ID && !slices.Contains(arns, target) {
			arns = append(arns, target)
		}
		return true
	})
	slices.Sort(arns)
	targetARNs, sources := make([]any, len(arns)), make([]any, len(arns))
	for i, arn := range arns {
		targetARNs[i], sources[i] = arn, map[string]any{"identifier": arn, "type": "elbv2"}
	}
	c.Out["targetGroupArns"], c.Out["trafficSources"] = targetARNs, sources
	return nil
}
