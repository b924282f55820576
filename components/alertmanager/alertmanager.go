// Package alertmanager owns the Alertmanager of a platform, which groups the alerts
// of Prometheus and sends them to an SNS topic. CloudWatch's alarms notify the same
// topic, so that people subscribe once.
//
// Alertmanager has one pod and no volume. Silences are lost when the pod ends, and a new
// pod sends the firing alerts once more.
package alertmanager

import (
	"encoding/json"
	"errors"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/podidentity"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/scaling"
)

// App is the value of the label app of the Alertmanager pod.
const App = "alertmanager"

const (
	// Version is Alertmanager's release.
	Version = "v0.33.0"
	// Repository is the name of the image's repository in the stack's mirror.
	Repository = "alertmanager"
	// Image is the image that the Prometheus project publishes. It is pinned by its
	// version, because no public source of its digest was found.
	Image = "quay.io/prometheus/alertmanager:" + Version

	// Port is the port of Alertmanager's API.
	Port = 9093

	app                      = App
	configFolder, dataFolder = "/etc/alertmanager", "/alertmanager"
	configFile               = "alertmanager.json"
)

// Args configure an Alertmanager.
type Args struct {
	Account *account.Account
	// ClusterName is the name of the EKS cluster in which Alertmanager runs.
	ClusterName pulumi.StringInput
	// Namespace is the namespace of Prometheus.
	Namespace controller.Namespace
	// Image is the reference of Alertmanager's image.
	Image pulumi.StringInput
	// TopicARN is the ARN of the SNS topic that gets the alerts. Region is the region of the
	// topic.
	TopicARN, Region string
	// Senders are the pods that send alerts.
	Senders []podnetwork.Peer
	// RequestShare is the percentage of scaling.AlertmanagerResources that the pod requests,
	// 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pod's node must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Account == nil || a.ClusterName == nil || a.Namespace.Created == nil || a.Image == nil:
		return errors.New("alertmanager: Account, ClusterName, Namespace and Image must be set")
	case a.TopicARN == "" || a.Region == "":
		return errors.New("alertmanager: TopicARN and Region must be set: without a topic nobody gets the alerts")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("alertmanager: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// Alertmanager is a running Alertmanager.
type Alertmanager struct{ pulumi.ResourceState }

// Address is the host and port of the Alertmanager in a namespace.
func Address(namespace string) string { return fmt.Sprintf("%s.%s.svc:%d", app, namespace, Port) }

// NewAlertmanager creates the Alertmanager and its IAM role, which may publish only to the
// topic. If a customer managed KMS key encrypts the topic, the key's policy must allow the
// role to use the key.
func NewAlertmanager(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Alertmanager, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	file, err := File(args.TopicARN, args.Region)
	if err != nil {
		return nil, err
	}
	a := &Alertmanager{}
	if err := ctx.RegisterComponentResource("progressive:alertmanager:Alertmanager", name, a, opts...); err != nil {
		return nil, fmt.Errorf("alertmanager %s: %w", name, err)
	}
	parent := pulumi.Parent(a)
	permissions, err := podidentity.New(ctx, name, &podidentity.Args{
		Account:     args.Account,
		Description: "Alertmanager, which sends alerts to " + args.TopicARN,
		ClusterName: args.ClusterName, Namespace: args.Namespace.Created, ServiceAccount: app,
		Statements: []iam.Statement{{Sid: "Publish", Actions: []string{"sns:Publish"}, Resources: iam.ARNs(pulumi.String(args.TopicARN))}},
	}, parent)
	if err != nil {
		return nil, err
	}
	// The ConfigMap is immutable, and Pulumi generates its name. So a changed file creates a
	// new ConfigMap and a new pod.
	config, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{
		Metadata:  &metav1.ObjectMetaArgs{Namespace: args.Namespace.Created, Labels: pulumi.StringMap{"app": pulumi.String(app)}},
		Immutable: pulumi.Bool(true),
		Data:      pulumi.StringMap{configFile: pulumi.String(file)},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", name, err)
	}
	ready, alive := newHTTPGet("/-/ready"), newHTTPGet("/-/healthy")
	_, err = controller.New(ctx, name, &controller.Args{
		Namespace: args.Namespace, App: app, Image: args.Image,
		ContainerArgs: []string{
			"--config.file=" + configFolder + "/" + configFile, "--storage.path=" + dataFolder,
			fmt.Sprintf("--web.listen-address=:%d", Port), "--cluster.listen-address=", "--log.format=json",
		},
		Ports: []controller.Port{{Name: "api", Number: Port, Service: Port, From: args.Senders}},
		// A network policy can't name the addresses of SNS, because they change.
		Egress: podnetwork.AWSAndAPIServerEgress(),
		Ready:  ready, Alive: alive,
		Resources: scaling.AlertmanagerResources().WithRequests(args.RequestShare),
		Volumes: corev1.VolumeArray{
			datastore.ConfigFiles("config", config.Metadata.Name().Elem()),
			&corev1.VolumeArgs{Name: pulumi.String("data"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("64Mi")}},
		},
		Mounts:       corev1.VolumeMountArray{datastore.Mount("config", configFolder), datastore.Mount("data", dataFolder)},
		NodeSelector: args.NodeSelector,
	}, permissions, parent)
	if err != nil {
		return nil, err
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{})
}

// newHTTPGet returns the HTTP GET of a probe, which gets the path from Alertmanager's API.
func newHTTPGet(path string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String("api")}
}

// object is a JSON object of Alertmanager's configuration file. The repository
// prometheus/alertmanager describes its keys in docs/configuration.md.
type object = map[string]any

// File returns Alertmanager's configuration file. Alerts with the same name and the same
// service are sent in one message. A firing alert of severity "page" suppresses the alert of
// severity "ticket" with the same name and service.
func File(topicARN, region string) (string, error) {
	const receiver = "topic"
	text, err := json.MarshalIndent(object{
		"route": object{
			"receiver": receiver, "group_by": []string{"alertname", "service"},
			// These three times are Alertmanager's defaults. A ticket repeats only once a day.
			"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h",
			"routes": []object{{"receiver": receiver, "matchers": []string{`severity="ticket"`}, "repeat_interval": "24h"}},
		},
		"inhibit_rules": []object{{
			"source_matchers": []string{`severity="page"`}, "target_matchers": []string{`severity="ticket"`}, "equal": []string{"alertname", "service"},
		}},
		"receivers": []object{{"name": receiver, "sns_configs": []object{{"topic_arn": topicARN, "sigv4": object{"region": region}}}}},
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("configuration of Alertmanager: %w", err)
	}
	return string(text) + "\n", nil
}
