package ruleset

import (
	"regexp"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// serverTypes are the workloads with pods that run until somebody stops them. taskTypes are
// the workloads with pods that end by themselves.
var (
	serverTypes   = []string{k8sview.Deployment{}.Token(), k8sview.StatefulSet{}.Token(), k8sview.DaemonSet{}.Token()}
	taskTypes     = []string{k8sview.Job{}.Token(), k8sview.CronJob{}.Token()}
	workloadTypes = append(append([]string{}, serverTypes...), taskTypes...)
)

// podTemplate returns the pod template of a workload.
func podTemplate(r *graph.Resource) k8sview.PodTemplateSpec {
	path := "spec.template"
	if r.Type == (k8sview.CronJob{}).Token() {
		path = "spec.jobTemplate.spec.template"
	}
	return value.As[k8sview.PodTemplateSpec](r.View().At(path))
}

// everyContainer reports whether test is true for each container and init
// container.
func everyContainer(p k8sview.PodSpec, test func(k8sview.Container) value.Truth) value.Truth {
	return value.All(p.Containers().All(test), p.InitContainers().All(test))
}

// imageDigest matches an image reference by digest. Such a reference always names the same image:
// no push to the registry can change that.
var imageDigest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

// credentialName matches names of passwords, keys and other secrets.
var credentialName = regexp.MustCompile(`(?i)(^|_)(password|secret|token|api_?key|private_?key|credentials?)$`)

var pods = []*rule.Rule{
	podRule("pod-non-root", "Containers do not run as root", "A flaw in the runtime would give root on the node.",
		"components/podsecurity, Pod", []string{"PSS restricted", "CIS EKS 4.2.6"}, func(s *rule.Subject, p k8sview.PodSpec) {
			podIsNonRoot := p.SecurityContext().RunAsNonRoot().IsTrue()
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				containerNonRoot := c.SecurityContext().RunAsNonRoot()
				return value.All(value.Any(podIsNonRoot, containerNonRoot.IsTrue()), value.Not(containerNonRoot.IsFalse()))
			}), "runAsNonRoot is not true")
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return value.Not(value.Any(c.SecurityContext().RunAsUser().Is(0), p.SecurityContext().RunAsUser().Is(0)))
			}), "runAsUser is 0")
		}),
	podRule("pod-no-escalation", "No process gets more permissions than its parent", "A setuid program would make a process root.",
		"components/podsecurity, Container", []string{"PSS restricted", "CIS EKS 4.2.5"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return c.SecurityContext().AllowPrivilegeEscalation().IsFalse()
			}), "allowPrivilegeEscalation is not false")
		}),
	podRule("pod-no-privileges", "No container is privileged", "A process in it could do everything on the node.",
		"components/podsecurity, Container", []string{"PSS baseline", "CIS EKS 4.2.1"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth { return value.Not(c.SecurityContext().Privileged().IsTrue()) }), "privileged is true")
		}),
	podRule("pod-no-capabilities", "Containers drop all capabilities", "A process needs none of root's powers to serve requests.",
		"components/podsecurity, Container", []string{"PSS restricted"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				caps := c.SecurityContext().Capabilities()
				return value.All(value.HasText(caps.Drop(), "ALL"), caps.Add().All(func(a value.String) value.Truth { return a.Is("NET_BIND_SERVICE") }))
			}), "capabilities are not dropped, or some are added")
		}),
	podRule("pod-seccomp", "Containers run under a seccomp profile", "Without one a process may make every system call.",
		"components/podsecurity, Pod", []string{"PSS restricted", "CIS EKS 4.6.2"}, func(s *rule.Subject, p k8sview.PodSpec) {
			podHasProfile := p.SecurityContext().SeccompProfile().Type().In("RuntimeDefault", "Localhost")
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				containerProfile := c.SecurityContext().SeccompProfile().Type()
				return value.Any(containerProfile.In("RuntimeDefault", "Localhost"), value.All(value.Not(containerProfile.IsSet()), podHasProfile))
			}), "no seccomp profile")
		}),
	podRule("pod-not-on-host", "Pods do not share the node's namespaces or files", "Such a pod sees other pods, and the node's credentials.",
		"components/service, the pod's spec", []string{"PSS baseline", "CIS EKS 4.2.2"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(value.Not(value.Any(p.HostNetwork().IsTrue(), p.HostPID().IsTrue(), p.HostIPC().IsTrue())), "hostNetwork, hostPID or hostIPC is true")
			s.Must(p.Volumes().All(func(v k8sview.Volume) value.Truth { return value.Not(v.HostPath().IsSet()) }), "a volume is a path of the node")
		}),
	podRule("pod-read-only-root", "The root file system can't be written", "An attacker could leave a program in the container.",
		"components/podsecurity, Container", []string{"kube-score container-security-context-readonlyrootfilesystem"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return c.SecurityContext().ReadOnlyRootFilesystem().IsTrue()
			}), "readOnlyRootFilesystem is not true")
		}),
	podRule("pod-requests", "Containers have requests", "The scheduler would put too many pods on one node.",
		"components/scaling, the profile's Resources", []string{"kube-score container-resources", "WA PERF02"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return value.All(c.Resources().Requests().Entry("cpu").IsSet(), c.Resources().Requests().Entry("memory").IsSet())
			}), "a request of CPU or memory is missing")
		}),
	podRule("pod-memory-limit", "Containers have a memory limit", "A container that leaks would take the node's memory from all others.",
		"components/scaling, the profile's Resources", []string{"kube-score container-resources"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth { return c.Resources().Limits().Entry("memory").IsSet() }), "the limit of memory is missing")
		}),
	podRule("pod-ephemeral-limit", "Containers have a request and a limit of disk space", "A container that writes a lot would fill the node's disk.",
		"components/podresources", []string{"kube-score container-ephemeral-storage-request-and-limit"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return c.Resources().Limits().Entry("ephemeral-storage").IsSet()
			}), "the limit of ephemeral-storage is missing")
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				return c.Resources().Requests().Entry("ephemeral-storage").IsSet()
			}), "the request of ephemeral-storage is missing")
		}),
	podRule("pod-image-by-digest", "Images are named by digest", "Under a tag another image may run at the next restart.",
		"components/image, the image's digest", []string{"kube-score container-image-tag", "CIS EKS 5.1.3"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth { return c.Image().Matches(imageDigest) }), "an image is not named by digest")
		}),
	podRule("pod-no-secret-in-environment", "Secrets are not in environment variables", "Environment variables are visible in the pod's spec, in crash reports and in every child process.",
		"components/secretfiles: mount them as files", []string{"CIS EKS 4.4.1"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(everyContainer(p, func(c k8sview.Container) value.Truth {
				noCredentials := c.Env().All(func(e k8sview.EnvVar) value.Truth {
					isCredential := e.Name().Matches(credentialName)
					return value.Not(value.Any(value.All(isCredential, e.Value().IsSet()), e.ValueFrom().SecretKeyRef().IsSet()))
				})
				return value.All(noCredentials, c.EnvFrom().All(func(e k8sview.EnvFromSource) value.Truth { return value.Not(e.SecretRef().IsSet()) }))
			}), "an environment variable holds a secret")
		}),
	{
		ID: "pod-service-account", Title: "Pods have a service account of their own, or no token",
		Why: "The account default is shared by all pods of the namespace.",
		Fix: "components/service, ServiceAccountName", Standards: []string{"CIS EKS 4.1.5"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			spec := podTemplate(s.Resource).Spec()
			name := resolveName(s.Graph, s.Resource, spec.ServiceAccountName(), "spec", k8sview.ServiceAccount{}.Token())
			ownAccount := value.All(name.IsSet(), value.Not(name.Is("default")))
			s.Must(value.Any(ownAccount, spec.AutomountServiceAccountToken().Or(true).IsFalse()), "serviceAccountName is %s, and its token is mounted", name.Text())
		}, workloadTypes...),
	},
	asAdvisory(podRule("pod-no-api-token", "Pods get no service account token", "An attacker in the pod could call the API server.",
		"components/service, AutomountServiceAccountToken", []string{"CIS EKS 4.1.6"}, func(s *rule.Subject, p k8sview.PodSpec) {
			s.Must(p.AutomountServiceAccountToken().Or(true).IsFalse(), "automountServiceAccountToken is not false")
		})),
}

// podRule returns a rule on the pods of every workload.
func podRule(id, title, why, fix string, standards []string, check func(*rule.Subject, k8sview.PodSpec)) *rule.Rule {
	return &rule.Rule{
		ID: id, Title: title, Why: why, Fix: fix, Severity: rule.High, Levels: rule.Everywhere, Standards: standards,
		Check: rule.OnTypes(func(s *rule.Subject) { check(s, podTemplate(s.Resource).Spec()) }, workloadTypes...),
	}
}

// asAdvisory gives a rule the level advisory in each environment, and a low severity. It returns the
// rule.
func asAdvisory(r *rule.Rule) *rule.Rule {
	r.Levels, r.Severity = rule.Advice, rule.Low
	return r
}
