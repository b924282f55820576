package rules

const scalingAttachmentType = "aws:autoscaling/attachment:Attachment"

const noHookNotifications = "notifications have no rules; EventBridge reports every hook"

// Resources that belong to an Auto Scaling group.
var _ = registerRows(
	&Row{
		Token:  "aws:autoscaling/lifecycleHook:LifecycleHook",
		Source: "autoscaling/lifecycle_hook.go", Page: "AutoScaling/latest/APIReference/API_PutLifecycleHook.html",
		Label: "Auto Scaling Lifecycle Hook", ID: "{autoscalingGroupName}/{name}", NotFound: "ValidationError", Put: true,
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name": {Replace: true, Valid: all(length(1, 255), pattern(`[A-Za-z0-9\-_/]+`, "letters, digits and -_/"))},
			// The provider changes a hook's group in place and does not delete the old
			// hook. The stand-in replaces the hook instead.
			"autoscalingGroupName": {Replace: true, Ref: toScalingGroup},
			"lifecycleTransition":  {Enum: []string{"autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"}},
			// If it is not set, AWS uses 3600, and the provider shows a difference at
			// every refresh. So it is required here.
			"heartbeatTimeout":      {Required: true, Valid: numbers(30, 7200)},
			"defaultResult":         {Computed: true, Enum: []string{"CONTINUE", "ABANDON"}},
			"notificationMetadata":  {Refuse: noHookNotifications},
			"notificationTargetArn": {Refuse: noHookNotifications},
			"roleArn":               {Refuse: noHookNotifications},
		},
		Fill: func(c *Call) error {
			if !c.Out.Has("defaultResult") {
				c.Out["defaultResult"] = "ABANDON"
			}
			return nil
		},
	},
	&Row{
		Token:  scalingAttachmentType,
		Source: "autoscaling/attachment.go", Page: "AutoScaling/latest/APIReference/API_AttachLoadBalancerTargetGroups.html",
		Label: "Auto Scaling Group Attachment", ID: "{autoscalingGroupName}-{hex26}", NotFound: "ValidationError",
		Props: Props{
			"autoscalingGroupName": {Replace: true, Ref: toScalingGroup},
			"lbTargetGroupArn":     {Replace: true, Valid: checkARN, Ref: toAutoScalingTargets},
			"elb":                  {Replace: true, Refuse: "classic load balancers are not supported"},
		},
		ExactlyOne: [][]string{{"lbTargetGroupArn", "elb"}},
		Unique: []Unique{{
			Props: []string{"autoscalingGroupName", "lbTargetGroupArn"}, Code: "AlreadyExists",
			Message: "{lbTargetGroupArn} is attached to {autoscalingGroupName} already: AWS would accept it, and the deletion of either attachment detaches both",
		}},
		Verify: func(c *Call) error {
			group, _ := c.referencedObject("autoscalingGroupName")
			subnet, _ := c.resolve(toSubnet, Object(group.State).Strings("vpcZoneIdentifiers")[0])
			target, _ := c.referencedObject("lbTargetGroupArn")
			return verifyAttachable(target, Object(subnet.State).String("vpcId"))
		},
	},
)
