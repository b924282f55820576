// Package alertmanager owns the Alertmanager of a platform, which groups the alerts
// of Prometheus and sends them to an SNS topic: the one that CloudWatch's alarms
// notify, so that people subscribe once.
//
// It has one pod and no volume. Silences end with the pod, and a new pod sends the
// open alerts once more.
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

// App is the value of the label app of its pod.
const App = "alertmanager"

const (
	// Version is Alertmanager's release.
	Version = "v0.33.0"
	// Repository is the repository of its image below a mirror.
	Repository = "alertmanager"
	// Image is upstream's image. No public source of its digest was found, so it has
	// an exact version only.
	Image = "quay.io/prometheus/alertmanager:" + Version

	// Port is the port of its API.
	Port = 9093

	app                      = App
	configFolder, dataFolder = "/etc/alertmanager", "/alertmanager"
	configFile               = "alertmanager.json"
)

// Args configure an Alertmanager.
type Args struct {
	Account *account.Account
	// ClusterName is the name of the EKS cluster that it runs in.
	ClusterName pulumi.StringInput
	// Namespace is that of Prometheus.
	Namespace controller.Namespace
	// Image is the reference of its image.
	Image pulumi.StringInput
	// TopicARN is the SNS topic that gets the alerts, in Region.
	TopicARN, Region string
	// Senders are the pods that send alerts.
	Senders []podnetwork.Peer
	// RequestShare is the size of the pods' resource requests in percent of the usual ones, 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that its nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Account == nil || a.ClusterName == nil || a.Namespace.Created == nil || a.Image == nil:
		return errors.New("alertmanager: Account, ClusterName, Namespace and Image must be set")
	case a.TopicARN == "" || a.Region == "":
		return errors.New("alertmanager: TopicARN and Region must be set: without a receiver it has no use")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("alertmanager: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// Alertmanager is a running Alertmanager.
type Alertmanager struct{ pulumi.ResourceState }

// Address is the host and port of the Alertmanager in a namespace.
func Address(namespace string) string { return fmt.Sprintf("%s.%s.svc:%d", app, namespace, Port) }

// NewAlertmanager creates the Alertmanager, and the role by which it publishes to the
// topic and to nothing else. A topic that a KMS key of yours encrypts needs that key's
// policy to admit the role.
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
	// Immutable and named by Pulumi: a change makes a new object, and so new pods.
	config, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{
		Metadata:  &metav1.ObjectMetaArgs{Namespace: args.Namespace.Created, Labels: pulumi.StringMap{"app": pulumi.String(app)}},
		Immutable: pulumi.Bool(true),
		Data:      pulumi.StringMap{configFile: pulumi.String(file)},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", name, err)
	}
	ready, alive := probe("/-/ready"), probe("/-/healthy")
	_, err = controller.New(ctx, name, &controller.Args{
		Namespace: args.Namespace, App: app, Image: args.Image,
		Command: []string{
			"--config.file=" + configFolder + "/" + configFile, "--storage.path=" + dataFolder,
			fmt.Sprintf("--web.listen-address=:%d", Port), "--cluster.listen-address=", "--log.format=json",
		},
		Ports: []controller.Port{{Name: "api", Number: Port, Service: Port, From: args.Senders}},
		// The addresses of SNS change.
		Egress: podnetwork.APIs(),
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

func probe(path string) corev1.HTTPGetActionArgs {
	return corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String("api")}
}

// object is a part of the configuration file, with the names of Alertmanager
// (prometheus/alertmanager, docs/configuration.md).
type object = map[string]any

// File renders the configuration. Alerts of one name and service are one message. An
// alert that pages silences the ticket of the same name and service.
func File(topicARN, region string) (string, error) {
	const receiver = "topic"
	text, err := json.MarshalIndent(object{
		"route": object{
			"receiver": receiver, "group_by": []string{"alertname", "service"},
			// The three times are the defaults of Alertmanager; a ticket is repeated daily.
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
