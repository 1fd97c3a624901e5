package deploytest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider/cloudapi"
)

// manifests are the objects of a rendered chart, decoded strictly into Kubernetes' types.
type manifests struct {
	sets     map[string]*appsv1.StatefulSet
	services map[string]*corev1.Service
	maps     map[string]*corev1.ConfigMap
	budgets  map[string]*policyv1.PodDisruptionBudget
	policies map[string]*networkingv1.NetworkPolicy
	ingress  map[string]*networkingv1.Ingress
	others   map[string]string // by kind
}

// kinds are the providers of the configurations here. Package node, which lists all, would bring
// its dependencies into this module.
var kinds = config.Kinds{{Name: cloudapi.Name, Settings: cloudapi.NewSettings}}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(filepath.Join(root, "deploy/helm/wactor"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders the chart as `helm install shop` does.
func render(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	options := chartutil.ReleaseOptions{Name: "shop", Namespace: "bots", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(loadChart(t), values, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(loadChart(t), all)
}

func mustRender(t *testing.T, values map[string]any) manifests {
	t.Helper()
	files, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	m := manifests{
		map[string]*appsv1.StatefulSet{}, map[string]*corev1.Service{}, map[string]*corev1.ConfigMap{},
		map[string]*policyv1.PodDisruptionBudget{}, map[string]*networkingv1.NetworkPolicy{},
		map[string]*networkingv1.Ingress{}, map[string]string{},
	}
	for name, text := range files {
		if strings.HasSuffix(name, ".txt") {
			continue
		}
		for _, document := range regexp.MustCompile(`(?m)^---$`).Split(text, -1) {
			m.add(t, name, document)
		}
	}
	return m
}

func (m manifests) add(t *testing.T, name, document string) {
	t.Helper()
	var head struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(document), &head); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, document)
	}
	switch head.Kind {
	case "":
	case "StatefulSet":
		m.sets[head.Metadata.Name] = decode[appsv1.StatefulSet](t, name, document)
	case "Service":
		m.services[head.Metadata.Name] = decode[corev1.Service](t, name, document)
	case "ConfigMap":
		m.maps[head.Metadata.Name] = decode[corev1.ConfigMap](t, name, document)
	case "PodDisruptionBudget":
		m.budgets[head.Metadata.Name] = decode[policyv1.PodDisruptionBudget](t, name, document)
	case "NetworkPolicy":
		m.policies[head.Metadata.Name] = decode[networkingv1.NetworkPolicy](t, name, document)
	case "Ingress":
		m.ingress[head.Metadata.Name] = decode[networkingv1.Ingress](t, name, document)
	default:
		m.others[head.Kind] = document
	}
}

// decode decodes strictly: a key that Kubernetes does not know would be dropped in silence there.
func decode[T any](t *testing.T, name, document string) *T {
	t.Helper()
	var object T
	if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, document)
	}
	return &object
}

// TestChartDefaults: three nodes at once, restricted, with probes that mean what they say.
func TestChartDefaults(t *testing.T) {
	m := mustRender(t, nil)
	set := m.sets["shop-wactor"]
	if set == nil {
		t.Fatalf("no StatefulSet shop-wactor in %v", m.sets)
	}
	pod := set.Spec.Template.Spec
	container := pod.Containers[0]
	for what, ok := range map[string]bool{
		"three nodes":          set.Spec.Replicas != nil && *set.Spec.Replicas == 3,
		"all at once":          set.Spec.PodManagementPolicy == appsv1.ParallelPodManagement,
		"named by its service": set.Spec.ServiceName == "shop-wactor-nodes",
		"not root":             *pod.SecurityContext.RunAsNonRoot && *pod.SecurityContext.RunAsUser == 65532,
		"seccomp":              pod.SecurityContext.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
		"read-only root":       *container.SecurityContext.ReadOnlyRootFilesystem,
		"no capabilities": len(container.SecurityContext.Capabilities.Drop) == 1 &&
			container.SecurityContext.Capabilities.Drop[0] == "ALL",
		"no token of the API":       !*pod.AutomountServiceAccountToken,
		"grace":                     *pod.TerminationGracePeriodSeconds == 60,
		"ready by /readyz":          container.ReadinessProbe.HTTPGet.Path == "/readyz",
		"alive without its cluster": container.LivenessProbe.HTTPGet.Path == "/healthz",
		"time to open a store":      container.StartupProbe.FailureThreshold*container.StartupProbe.PeriodSeconds >= 300,
		"found before ready":        m.services["shop-wactor-nodes"].Spec.PublishNotReadyAddresses,
		"headless":                  m.services["shop-wactor-nodes"].Spec.ClusterIP == corev1.ClusterIPNone,
		"one away at a time":        m.budgets["shop-wactor"].Spec.MaxUnavailable.IntValue() == 1,
		"stopped once it is spared": strings.Join(container.Lifecycle.PreStop.Exec.Command, " ") ==
			"/wactor healthcheck --quorum --wait 15s",
		"restarted by configuration": set.Spec.Template.Annotations["checksum/config"] != "",
	} {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}
	job := decode[batchv1.Job](t, "the job", m.others["Job"])
	if asks := strings.Join(job.Spec.Template.Spec.Containers[0].Args, " "); job.Annotations["helm.sh/hook"] !=
		"pre-upgrade" || asks != "cluster can scale --to 3 --wait 60s --admin http://shop-wactor-nodes:8081" {
		t.Errorf("before an upgrade (%v) it asks %s", job.Annotations, asks)
	}
	ports := map[string]bool{}
	for _, port := range container.Ports {
		ports[port.Name] = true
	}
	for _, service := range m.services {
		for _, port := range service.Spec.Ports {
			if !ports[port.TargetPort.StrVal] {
				t.Errorf("service %s: the pod has no port %s", service.Name, port.TargetPort.StrVal)
			}
		}
		for key, value := range service.Spec.Selector {
			if set.Spec.Template.Labels[key] != value {
				t.Errorf("service %s selects %s=%s, which the pods do not have", service.Name, key, value)
			}
		}
	}
}

// TestChartConfigurationIsLoaded: what the chart writes goes through the program's own loader, with
// its flows beside it.
func TestChartConfigurationIsLoaded(t *testing.T) {
	for _, replicas := range []int{1, 3, 5} {
		m := mustRender(t, map[string]any{"replicas": replicas})
		dir := t.TempDir()
		write := func(name, text string) {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("wactor.yaml", m.maps["shop-wactor"].Data["wactor.yaml"])
		for name, text := range m.maps["shop-wactor-flows"].Data {
			write("flows/"+name, text)
		}
		env := map[string]string{
			"POD_NAME": "shop-wactor-0", "POD_IP": "10.0.0.7", "WACTOR_ADMIN_TOKEN": "an-admin-token-of-some-length",
			"WACTOR_SECRET": "0123456789abcdef0123456789abcdef", "VERIFY_TOKEN": "v", "APP_SECRET": "s",
			"ACCESS_TOKEN": "t",
		}
		c, err := config.Load(filepath.Join(dir, "wactor.yaml"), func(name string) (string, bool) {
			value, set := env[name]
			return value, set
		}, kinds)
		if err != nil {
			t.Fatalf("%d replicas: %v\n%s", replicas, err, m.maps["shop-wactor"].Data["wactor.yaml"])
		}
		if c.Cluster.Expect != replicas || c.Cluster.Join[0] != "shop-wactor-nodes" || c.Node.Name != "shop-wactor-0" {
			t.Errorf("%d replicas: expect %d, join %v, node %s", replicas, c.Cluster.Expect, c.Cluster.Join,
				c.Node.Name)
		}
		if _, err := os.Stat(c.Bots["first"].Flow); err != nil {
			t.Error(err)
		}
	}
}

// TestChartOptions: each option does what it says, and nothing where it is off.
func TestChartOptions(t *testing.T) {
	off := mustRender(t, nil)
	if len(off.policies)+len(off.ingress)+len(off.others) != 2 || off.others["ServiceAccount"] == "" ||
		off.others["Job"] == "" {
		t.Errorf("the defaults make more than they say: %v", off.others)
	}
	on := mustRender(t, map[string]any{
		"networkPolicy":  map[string]any{"enabled": true},
		"ingress":        map[string]any{"enabled": true, "host": "bot.example.com", "tlsSecret": "tls"},
		"serviceMonitor": map[string]any{"enabled": true}, "prometheusRule": map[string]any{"enabled": true},
		"extraObjects": []any{map[string]any{"apiVersion": "v1", "kind": "Secret",
			"metadata": map[string]any{"name": "{{ .Release.Name }}-x"}}},
		"extraEnv": []any{map[string]any{"name": "A", "value": "b"}},
		"image":    map[string]any{"repository": "r", "digest": "sha256:" + strings.Repeat("0", 64)},
	})
	if len(on.policies) != 1 || len(on.ingress) != 1 {
		t.Errorf("%d network policies, %d ingresses", len(on.policies), len(on.ingress))
	}
	for kind, want := range map[string]string{
		"ServiceMonitor": "port: admin", "PrometheusRule": "alert: WactorDown", "Secret": "shop-x",
	} {
		if !strings.Contains(on.others[kind], want) {
			t.Errorf("%s lacks %q: %s", kind, want, on.others[kind])
		}
	}
	container := on.sets["shop-wactor"].Spec.Template.Spec.Containers[0]
	if want := "r@sha256:" + strings.Repeat("0", 64); container.Image != want {
		t.Errorf("image %s, want %s", container.Image, want)
	}
	if last := container.Env[len(container.Env)-1]; last.Name != "A" || last.Value != "b" {
		t.Errorf("extraEnv: %v", container.Env)
	}
	if single := mustRender(t, map[string]any{"replicas": 1, "scaleCheck": false}); single.others["Job"] != "" ||
		single.sets["shop-wactor"].Spec.Template.Spec.Containers[0].Lifecycle != nil {
		t.Error("a lone node waits for others, or a check is made that was turned off")
	} else if len(single.budgets) != 0 {
		t.Error("a budget of one away at a time would never let a lone node move")
	}
}

// TestChartRejectsBadValues: the schema names what is wrong before anything is installed.
func TestChartRejectsBadValues(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]any
		says   string
	}{
		"two nodes":      {map[string]any{"replicas": 2}, "replicas"},
		"an unknown key": {map[string]any{"replica": 3}, "replica"},
		"no secret":      {map[string]any{"existingSecret": ""}, "existingSecret"},
		"no channel": {map[string]any{"config": map[string]any{"channels": []any{},
			"bots": map[string]any{"a": 1}}}, "channels"},
		"its own cluster":       {map[string]any{"config": map[string]any{"cluster": map[string]any{}}}, "cluster"},
		"a digest that is none": {map[string]any{"image": map[string]any{"digest": "abc"}}, "digest"},
		"no size":               {map[string]any{"storage": map[string]any{"size": "ten"}}, "size"},
		"too little grace":      {map[string]any{"terminationGracePeriodSeconds": 5}, "terminationGracePeriodSeconds"},
	} {
		if _, err := render(t, c.values); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestChartRulesAreThoseOfPrometheus: the chart carries a copy, since Helm reads no file outside of
// the chart.
func TestChartRulesAreThoseOfPrometheus(t *testing.T) {
	if string(read(t, "deploy/helm/wactor/rules.yaml")) != string(read(t, "deploy/prometheus/rules.yaml")) {
		t.Error("they differ: cp deploy/prometheus/rules.yaml deploy/helm/wactor/rules.yaml")
	}
}
