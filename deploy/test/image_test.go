package deploytest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestImageIsReproducibleAndRuns: built twice it has one digest; it runs as uid 65532 with a
// read-only root and no capability, answers its health check, keeps what it accepts in its volume,
// and says what is wrong where the volume can't be written.
func TestImageIsReproducibleAndRuns(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("building and running an image without an engine needs root")
	}
	buildah, umoci, runc := tool(t, "buildah", "buildah"), tool(t, "umoci", "umoci"), tool(t, "runc", "runc")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "policy.json"), `{"default":[{"type":"insecureAcceptAnything"}]}`)
	context := filepath.Join(dir, "context")
	if err := os.MkdirAll(filepath.Join(context, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	probeBuild(t, buildah, dir)
	binary(t, context)
	var digests []string
	for _, number := range []string{"1", "2"} {
		storage := []string{"--root", filepath.Join(dir, "root"+number), "--runroot", filepath.Join(dir, "run"+number),
			"--storage-driver", "vfs"}
		output(t, dir, buildah, append(storage, "bud", "--signature-policy", filepath.Join(dir, "policy.json"),
			"--isolation", "chroot",
			"--timestamp", "0", "-t", "wactor:test", "-f", absolute(t, "deploy/Dockerfile"), context)...)
		layout := filepath.Join(dir, "oci"+number)
		output(t, dir, buildah, append(storage, "push", "--signature-policy", filepath.Join(dir, "policy.json"),
			"wactor:test", "oci:"+layout+":1")...)
		var index struct{ Manifests []struct{ Digest string } }
		content, err := os.ReadFile(filepath.Join(layout, "index.json"))
		if err != nil || json.Unmarshal(content, &index) != nil || len(index.Manifests) != 1 {
			t.Fatalf("the image's index: %v\n%s", err, content)
		}
		digests = append(digests, index.Manifests[0].Digest)
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds of one commit differ: %v", digests)
	}
	bundle := filepath.Join(dir, "bundle")
	output(t, dir, umoci, "unpack", "--image", filepath.Join(dir, "oci1")+":1", bundle)
	volume := filepath.Join(dir, "volume")
	if err := os.Mkdir(volume, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(volume, 65532, 65532); err != nil {
		t.Fatal(err)
	}
	configuration := filepath.Join(dir, "etc")
	for name, text := range map[string]string{
		"wactor.yaml": `node: { name: image, data_dir: /var/lib/wactor/data }
listen: { http: "127.0.0.1:18080", admin: "127.0.0.1:18081" }
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: v, app_secret: s, access_token: t, graph_url: "http://127.0.0.1:18082", bot: first }
bots: { first: { flow: flow.yaml } }
`, "flow.yaml": string(read(t, "examples/counter/flow.yaml")),
	} {
		write(t, filepath.Join(configuration, name), text)
	}
	spec := runSpec(t, bundle, volume, configuration)
	if !strings.Contains(spec, `"uid":65532`) || !strings.Contains(spec, `"readonly":true`) {
		t.Fatalf("the bundle would run otherwise: %s", spec)
	}
	probeRun(t, runc, dir, bundle)
	var log bytes.Buffer
	container := exec.Command(runc, "--root", filepath.Join(dir, "runc"), "run", "-b", bundle, "wactor-image-test")
	container.Stdout, container.Stderr = &log, &log
	if err := container.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- container.Wait() }()
	kill := func(signal string) {
		_ = exec.Command(runc, "--root", filepath.Join(dir, "runc"), "kill", "wactor-image-test", signal).Run()
	}
	t.Cleanup(func() {
		kill("KILL")
		_ = exec.Command(runc, "--root", filepath.Join(dir, "runc"), "delete", "-f", "wactor-image-test").Run()
	})
	deadline := time.Now().Add(time.Minute)
	for status := 0; status != http.StatusOK; time.Sleep(50 * time.Millisecond) {
		if response, err := http.Get("http://127.0.0.1:18081/readyz"); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			status = response.StatusCode
		}
		if time.Now().After(deadline) {
			t.Fatalf("the container does not become ready:\n%s", log.String())
		}
	}
	health := exec.Command(runc, "--root", filepath.Join(dir, "runc"), "exec", "wactor-image-test", "/wactor",
		"healthcheck", "--ready", "--admin", "127.0.0.1:18081")
	if out, err := health.CombinedOutput(); bytes.Contains(out, []byte("chdir to cwd")) {
		t.Skipf("a container can't be entered on this machine, as in a chroot: %s", out)
	} else if err != nil {
		t.Fatalf("the health check in the container: %v\n%s", err, out)
	}
	chat := exec.Command(filepath.Join(context, "wactor"), "simulate", "--url", "http://127.0.0.1:18080/webhooks/shop",
		"--graph", "127.0.0.1:18082",
		"--app-secret", "s", "--access-token", "t", "--phone-number-id", "1", "--users", "5", "--messages", "3")
	if out, err := chat.CombinedOutput(); err != nil {
		t.Errorf("a chat with the container: %v\n%s\n%s", err, out, log.String())
	}
	kill("TERM")
	select {
	case err := <-ended:
		if err != nil || !strings.Contains(log.String(), "stopped") {
			t.Errorf("the container ended with %v:\n%s", err, log.String())
		}
	case <-time.After(time.Minute):
		t.Errorf("the container does not stop:\n%s", log.String())
	}
	if _, err := os.Stat(filepath.Join(volume, "data")); err != nil {
		t.Error(err)
	}
}

// probeBuild skips the test on a machine where no image at all can be built: inside a container
// without the rights to mount, for instance.
func probeBuild(t *testing.T, buildah, dir string) {
	t.Helper()
	context := filepath.Join(dir, "probe")
	write(t, filepath.Join(context, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n")
	out, err := exec.Command(buildah, "--root", filepath.Join(dir, "probe-root"), "--runroot",
		filepath.Join(dir, "probe-run"), "--storage-driver", "vfs", "bud", "--signature-policy",
		filepath.Join(dir, "policy.json"), "--isolation", "chroot", "-t", "probe", context).CombinedOutput()
	if err != nil {
		t.Skipf("no image can be built on this machine: %v\n%s", err, out)
	}
}

// probeRun skips the rest of the test on a machine where runc can't make a container. What it makes
// must be able to start the program.
func probeRun(t *testing.T, runc, dir, bundle string) {
	t.Helper()
	path := filepath.Join(bundle, "config.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(before, &spec); err != nil {
		t.Fatal(err)
	}
	spec["process"].(map[string]any)["args"] = []string{"/wactor", "version"}
	changed, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(changed))
	defer write(t, path, string(before))
	out, err := exec.Command(runc, "--root", filepath.Join(dir, "runc"), "run", "-b", bundle,
		"wactor-probe").CombinedOutput()
	switch text := string(out); {
	case err == nil:
	case strings.Contains(text, "runc run failed") && !strings.Contains(text, "exec:"):
		t.Skipf("no container can be made on this machine: %v\n%s", err, text)
	default:
		t.Fatalf("the program does not start in a container: %v\n%s", err, text)
	}
}

// runSpec adds volume and configuration to the bundle's config.json, shares the host's network so
// that the test reaches the ports, and makes the root read-only.
func runSpec(t *testing.T, bundle, volume, configuration string) string {
	t.Helper()
	path := filepath.Join(bundle, "config.json")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(content, &spec); err != nil {
		t.Fatal(err)
	}
	process := spec["process"].(map[string]any)
	process["terminal"] = false
	process["capabilities"] = map[string]any{}
	process["noNewPrivileges"] = true
	spec["root"].(map[string]any)["readonly"] = true
	mounts := []any{}
	for _, mount := range spec["mounts"].([]any) {
		if destination := mount.(map[string]any)["destination"]; destination != "/sys" &&
			destination != "/sys/fs/cgroup" && destination != "/var/lib/wactor" {
			mounts = append(mounts, mount)
		}
	}
	bind := func(source, destination string, option string) map[string]any {
		return map[string]any{"destination": destination, "type": "bind", "source": source, "options": []string{"rbind",
			option}}
	}
	spec["mounts"] = append(mounts, bind(volume, "/var/lib/wactor", "rw"), bind(configuration, "/etc/wactor", "ro"))
	linux := spec["linux"].(map[string]any)
	linux["namespaces"] = []map[string]string{{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}}
	delete(linux, "resources")
	changed, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(changed))
	return string(changed)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return full
}
