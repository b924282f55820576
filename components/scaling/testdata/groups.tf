# terraform/aws/autoscaling-groups.tf
# Web tier auto scaling group
resource "aws_autoscaling_group" "web_tier_asg" {
  name                = "progressive-framework-v5-web-${var.environment}"
  vpc_zone_identifier = [
    aws_subnet.public_subnet_az1.id,
    aws_subnet.public_subnet_az2.id,
    aws_subnet.public_subnet_az3.id
  ]
  
  min_size                = 3
  max_size                = 30
  desired_capacity        = 6
  health_check_type       = "ELB"
  health_check_grace_period = 300
  
  launch_template {
    id      = aws_launch_template.web_tier_template.id
    version = "$Latest"
  }
  
  # Scaling policies
  target_group_arns = [aws_lb_target_group.web_tg.arn]
  
  # Distribute across availability zones
  availability_zones = [
    "${var.aws_region}a",
    "${var.aws_region}b", 
    "${var.aws_region}c"
  ]
  
  # Instance refresh for zero-downtime updates
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 50
      instance_warmup        = 300
    }
    triggers = ["tag"]
  }
  
  tag {
    key                 = "Name"
    value               = "progressive-framework-v5-web"
    propagate_at_launch = true
  }
  
  tag {
    key                 = "Environment"
    value               = var.environment
    propagate_at_launch = true
  }
  
  tag {
    key                 = "Tier"
    value               = "web"
    propagate_at_launch = true
  }
}

# Application tier auto scaling group
resource "aws_autoscaling_group" "app_tier_asg" {
  name                = "progressive-framework-v5-app-${var.environment}"
  vpc_zone_identifier = [
    aws_subnet.private_app_subnet_az1.id,
    aws_subnet.private_app_subnet_az2.id,
    aws_subnet.private_app_subnet_az3.id
  ]
  
  min_size                = 4  # Higher minimum for agent coordination
  max_size                = 50
  desired_capacity        = 8
  health_check_type       = "ELB"
  health_check_grace_period = 300
  
  launch_template {
    id      = aws_launch_template.app_tier_template.id
    version = "$Latest"
  }
  
  target_group_arns = [
    aws_lb_target_group.app_tg.arn,
    aws_lb_target_group.agents_tg.arn
  ]
  
  # Enhanced instance refresh for agents
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 70  # Higher for agent continuity
      instance_warmup        = 600  # Longer warmup for agent initialization
    }
  }
  
  tag {
    key                 = "Name"
    value               = "progressive-framework-v5-app"
    propagate_at_launch = true
  }
  
  tag {
    key                 = "Tier"
    value               = "application"
    propagate_at_launch = true
  }
  
  tag {
    key                 = "AgentCapable"
    value               = "true"
    propagate_at_launch = true
  }
}

# Scaling policies
resource "aws_autoscaling_policy" "web_scale_up" {
  name                   = "web-scale-up"
  scaling_adjustment     = 2
  adjustment_type        = "ChangeInCapacity"
  cooldown              = 300
  autoscaling_group_name = aws_autoscaling_group.web_tier_asg.name
}

resource "aws_autoscaling_policy" "web_scale_down" {
  name                   = "web-scale-down"
  scaling_adjustment     = -1
  adjustment_type        = "ChangeInCapacity"
  cooldown              = 600
  autoscaling_group_name = aws_autoscaling_group.web_tier_asg.name
}

resource "aws_autoscaling_policy" "app_scale_up" {
  name                   = "app-scale-up"
  scaling_adjustment     = 3  # More aggressive for agent workloads
  adjustment_type        = "ChangeInCapacity"
  cooldown              = 180  # Faster response for agents
  autoscaling_group_name = aws_autoscaling_group.app_tier_asg.name
}

resource "aws_autoscaling_policy" "app_scale_down" {
  name                   = "app-scale-down"
  scaling_adjustment     = -1
  adjustment_type        = "ChangeInCapacity"
  cooldown              = 900  # Slower scale down for agent continuity
  autoscaling_group_name = aws_autoscaling_group.app_tier_asg.name
}
