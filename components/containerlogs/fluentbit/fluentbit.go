// Package fluentbit owns what Fluent Bit reads on a node, and what it sends to CloudWatch
// Logs. It is pure and renders Fluent Bit's configuration file.
//
// Names of sections and keys are Fluent Bit's own (fluent/fluent-bit,
// plugins/in_tail/tail.c, plugins/out_cloudwatch_logs/cloudwatch_logs.c, and the manual's
// page "YAML configuration").
package fluentbit

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

const (
	// Version is the release of AWS for Fluent Bit. It has Fluent Bit 5.0.9, and takes
	// credentials from EKS Pod Identity since release 2.32.5 (aws/aws-for-fluent-bit,
	// pull request 888).
	Version = "3.4.15"
	// Image is upstream's image for amd64 and arm64. Manifests of several public
	// repositories name this digest for the release.
	Image = "public.ecr.aws/aws-observability/aws-for-fluent-bit:" + Version + "@sha256:88e1b56cedb230486afeca6eeb26c5f6bd59c48879d0054d1674d5a58838c607"
	// Program is the path of Fluent Bit in the image. The image's own entry point is a
	// script that also loads three plugins in Go, which need memory and do nothing here.
	Program = "/fluent-bit/bin/fluent-bit"

	// App is the value of the label app of its pods.
	App = "fluent-bit"
	// SystemNamespace is the namespace of its pods. They send no log of their own: an
	// error of CloudWatch would be a new line, and so a new error.
	SystemNamespace = "kube-system"

	// LogFolder has the log files of all containers of a node, as
	// NAMESPACE_POD_UID/CONTAINER/N.log (kubernetes/kubernetes,
	// pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory). Rotated files end
	// otherwise.
	LogFolder = "/var/log/pods"
	// StateFolder has the positions in the files. It outlives a container, not its pod: a
	// new pod sends the current files, 10 MiB of each container at most, once more.
	StateFolder = "/state"

	// HealthPort is the port of the HTTP server with LivenessPath and ReadinessPath.
	HealthPort = 2020
	// LivenessPath answers 200 while Fluent Bit runs.
	LivenessPath = "/"
	// ReadinessPath answers 500 while outputs fail (Fluent Bit manual, "Health Check for Fluent Bit").
	ReadinessPath = "/api/v1/health"
)

// Group is a kind of log with a log group of its own. The names are those of Container
// Insights (CloudWatch User Guide, "Send logs to CloudWatch Logs").
type Group string

// Application are the logs of the platform's namespace, Dataplane those of all others.
const (
	Application Group = "application"
	Dataplane   Group = "dataplane"
)

// Groups lists the kinds of logs.
func Groups() []Group { return []Group{Application, Dataplane} }

// Folder is the first part of the names of a cluster's log groups, which Container Insights
// uses too.
func Folder(cluster string) string { return "/aws/containerinsights/" + cluster }

// Input says whose logs go where.
type Input struct {
	// Region is that of the log groups.
	Region string
	// Cluster is the name of the EKS cluster.
	Cluster string
	// Namespace is that of the platform.
	Namespace string
}

// object is a section of the file.
type object = map[string]any

// File renders the configuration file.
func File(in Input) (string, error) {
	platform := fmt.Sprintf("%s/%s_*/*/*.log", LogFolder, in.Namespace)
	own := fmt.Sprintf("%s/%s_%s-*/*/*.log", LogFolder, SystemNamespace, App)
	text, err := yaml.Marshal(object{
		"service": object{
			"flush": 5, "grace": 5, "log_level": "warn",
			"http_server": "on", "http_listen": "0.0.0.0", "http_port": HealthPort, "health_check": "on",
		},
		"pipeline": object{
			"inputs": []object{
				tail(Application, platform, ""),
				tail(Dataplane, LogFolder+"/*/*/*.log", platform+","+own),
			},
			"outputs": []object{cloudwatch(Application, in), cloudwatch(Dataplane, in)},
		},
	})
	if err != nil {
		return "", fmt.Errorf("configuration of Fluent Bit: %w", err)
	}
	return string(text), nil
}

// tagRegex takes the names out of a file's path.
const tagRegex = `^/var/log/pods/(?<namespace>[^_/]+)_(?<pod>[^_/]+)_[^/]+/(?<container>[^/]+)/`

// tail reads the files of a path but the excluded ones.
func tail(group Group, path, exclude string) object {
	input := object{
		"name": "tail", "path": path, "tag": string(group) + ".<namespace>.<pod>.<container>", "tag_regex": tagRegex,
		// containerd cuts a line at 16 KiB; the parser joins its parts.
		"multiline.parser": "cri",
		"db":               StateFolder + "/" + string(group) + ".db",
		// A pod may end before its file is found, so files are read from their beginning.
		"read_from_head": true, "refresh_interval": 5, "rotate_wait": 30, "skip_long_lines": true,
		// While CloudWatch does not answer, reading stops at this size and goes on later.
		"mem_buf_limit": "8MB",
	}
	if exclude != "" {
		input["exclude_path"] = exclude
	}
	return input
}

// cloudwatch sends the lines as they were written. A stream is a container on a node.
func cloudwatch(group Group, in Input) object {
	return object{
		"name": "cloudwatch_logs", "match": string(group) + ".*", "region": in.Region,
		"log_group_name": Folder(in.Cluster) + "/" + string(group), "log_stream_prefix": "${NODE_NAME}/",
		"log_key": "log",
		// The stack creates the groups, with its key and an expiry.
		"auto_create_group": false,
		"retry_limit":       "no_limits",
	}
}

// WriteActions are what it may do with the streams of the groups. The plugin calls no other
// action of CloudWatch Logs (plugins/out_cloudwatch_logs/cloudwatch_api.c).
func WriteActions() []string { return []string{"logs:CreateLogStream", "logs:PutLogEvents"} }
