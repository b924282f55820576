// Package fluentbit owns what Fluent Bit reads on a node, and what it sends to CloudWatch
// Logs. It imports no SDK and renders Fluent Bit's configuration file.
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
	// Version is the release of AWS for Fluent Bit. The release has Fluent Bit 5.0.9, and takes
	// credentials from EKS Pod Identity since release 2.32.5 (aws/aws-for-fluent-bit, pull request
	// 888).
	Version = "3.4.15"
	// Image is the image that AWS publishes for amd64 and arm64. Manifests in several public
	// repositories use this digest for the release.
	Image = "public.ecr.aws/aws-observability/aws-for-fluent-bit:" + Version + "@sha256:88e1b56cedb230486afeca6eeb26c5f6bd59c48879d0054d1674d5a58838c607"
	// Program is the path of Fluent Bit in the image. The image's own entry point is a
	// script that also loads three plugins in Go, which need memory and do nothing here.
	Program = "/fluent-bit/bin/fluent-bit"

	// App is the value of the label app of Fluent Bit's pods.
	App = "fluent-bit"
	// SystemNamespace is the namespace of Fluent Bit's pods. Their own logs are not sent: each
	// failed request to CloudWatch writes a line, and sending that line would fail again.
	SystemNamespace = "kube-system"

	// LogFolder has the log files of all containers of a node, as
	// NAMESPACE_POD_UID/CONTAINER/N.log (kubernetes/kubernetes,
	// pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory). The names of
	// rotated files have a different ending.
	LogFolder = "/var/log/pods"
	// StateFolder has the position up to which each file was read. The folder is kept when the
	// container restarts, and lost with the pod. A new pod sends the current files once more,
	// at most 10 MiB of each container.
	StateFolder = "/state"

	// HealthPort is the port of the HTTP server with LivenessPath and ReadinessPath.
	HealthPort = 2020
	// LivenessPath responds with status 200 while Fluent Bit runs.
	LivenessPath = "/"
	// ReadinessPath responds with status 500 while outputs fail (Fluent Bit manual, "Health Check
	// for Fluent Bit").
	ReadinessPath = "/api/v1/health"
)

// Group is a kind of log with a log group of its own. The names are those of Container
// Insights (CloudWatch User Guide, "Send logs to CloudWatch Logs").
type Group string

// Application are the logs of the platform's namespace. Dataplane are the logs of all other
// namespaces.
const (
	Application Group = "application"
	Dataplane   Group = "dataplane"
)

// Groups lists the kinds of logs.
func Groups() []Group { return []Group{Application, Dataplane} }

// LogGroupPrefix returns the first part of the names of a cluster's log groups. Container
// Insights uses the same names.
func LogGroupPrefix(cluster string) string { return "/aws/containerinsights/" + cluster }

// Input has the stack's values for the configuration file.
type Input struct {
	// Region is the region of the log groups.
	Region string
	// Cluster is the name of the EKS cluster.
	Cluster string
	// Namespace is the platform's namespace.
	Namespace string
}

// object is a section of the configuration file.
type object = map[string]any

// File returns Fluent Bit's configuration file. The logs of the platform's namespace are sent to
// the group Application, and all other logs to the group Dataplane. Fluent Bit's own logs are not
// sent.
func File(input Input) (string, error) {
	platformLogs := fmt.Sprintf("%s/%s_*/*/*.log", LogFolder, input.Namespace)
	ownLogs := fmt.Sprintf("%s/%s_%s-*/*/*.log", LogFolder, SystemNamespace, App)
	text, err := yaml.Marshal(object{
		"service": object{
			"flush": 5, "grace": 5, "log_level": "warn", // flush and grace are in seconds
			"http_server": "on", "http_listen": "0.0.0.0", "http_port": HealthPort, "health_check": "on",
		},
		"pipeline": object{
			"inputs": []object{
				tailInput(Application, platformLogs, ""),
				tailInput(Dataplane, LogFolder+"/*/*/*.log", platformLogs+","+ownLogs),
			},
			"outputs": []object{cloudWatchOutput(Application, input), cloudWatchOutput(Dataplane, input)},
		},
	})
	if err != nil {
		return "", fmt.Errorf("configuration of Fluent Bit: %w", err)
	}
	return string(text), nil
}

// tagRegex gets the names of the namespace, pod and container from a file's path.
const tagRegex = `^/var/log/pods/(?<namespace>[^_/]+)_(?<pod>[^_/]+)_[^/]+/(?<container>[^/]+)/`

// tailInput returns the input that reads the files of path, except those of exclude.
func tailInput(group Group, path, exclude string) object {
	input := object{
		"name": "tail", "path": path, "tag": string(group) + ".<namespace>.<pod>.<container>", "tag_regex": tagRegex,
		// containerd cuts a line at 16 KiB; the parser joins its parts.
		"multiline.parser": "cri",
		"db":               StateFolder + "/" + string(group) + ".db",
		// A pod may end before Fluent Bit finds its file, so files are read from their beginning.
		"read_from_head": true, "skip_long_lines": true,
		// Fluent Bit finds a new file within 5 s, and still reads a rotated file for 30 s.
		"refresh_interval": 5, "rotate_wait": 30,
		// While CloudWatch does not respond, reading pauses when this size is buffered.
		"mem_buf_limit": "8MB",
	}
	if exclude != "" {
		input["exclude_path"] = exclude
	}
	return input
}

// cloudWatchOutput returns the output that sends the lines of a group unchanged. Each container
// on a node has its own log stream.
func cloudWatchOutput(group Group, input Input) object {
	return object{
		"name": "cloudwatch_logs", "match": string(group) + ".*", "region": input.Region,
		"log_group_name": LogGroupPrefix(input.Cluster) + "/" + string(group), "log_stream_prefix": "${NODE_NAME}/",
		"log_key": "log",
		// The stack creates the groups, with its key and a retention time.
		"auto_create_group": false,
		"retry_limit":       "no_limits",
	}
}

// WriteActions returns the actions that Fluent Bit needs for the log streams. Its plugin calls no
// other action of CloudWatch Logs (fluent/fluent-bit,
// plugins/out_cloudwatch_logs/cloudwatch_api.c).
func WriteActions() []string { return []string{"logs:CreateLogStream", "logs:PutLogEvents"} }
