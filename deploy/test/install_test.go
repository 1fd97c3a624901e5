package deploytest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestInstallScript installs a release whose checksum is right, and nothing where it is not.
func TestInstallScript(t *testing.T) {
	tool(t, "curl", "curl")
	archive := release(t, "#!/bin/sh\necho installed \"$@\"\n")
	name := fmt.Sprintf("wactor_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	for what, c := range map[string]struct {
		served []byte
		ok     bool
		says   string
	}{
		"a release":       {archive, true, "installed version"},
		"a changed one":   {append([]byte{}, append(archive, 'x')...), false, "nothing was installed"},
		"an archive gone": {nil, false, "downloading"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/download/v1.2.3/checksums.txt":
				fmt.Fprintf(w, "%x  %s\n%x  other_linux_mips.tar.gz\n", sha256.Sum256(archive), name, sha256.Sum256(nil))
			case r.URL.Path == "/download/v1.2.3/"+name && c.served != nil:
				_, _ = w.Write(c.served)
			default:
				http.NotFound(w, r)
			}
		}))
		prefix := t.TempDir()
		command := exec.Command("sh", absolute(t, "install.sh"), "1.2.3")
		command.Env = append(os.Environ(), "WACTOR_RELEASES="+server.URL, "PREFIX="+prefix)
		out, err := command.CombinedOutput()
		server.Close()
		_, missing := os.Stat(filepath.Join(prefix, "bin/wactor"))
		if (err == nil) != c.ok || (missing == nil) != c.ok || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v, %v\n%s", what, err, missing, out)
		}
	}
}

// release is an archive that holds the program.
func release(t *testing.T, program string) []byte {
	t.Helper()
	var text bytes.Buffer
	zipped := gzip.NewWriter(&text)
	archive := tar.NewWriter(zipped)
	if err := archive.WriteHeader(&tar.Header{Name: "wactor", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	_, _ = archive.Write([]byte(program))
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}
