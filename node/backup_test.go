package node

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/backup"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/persistence/store"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// backUp asks a node for a backup.
func (w *world) backUp(n *Node) (*wactorv1.CreateBackupResponse, error) {
	client := wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr())
	response, err := client.CreateBackup(w.t.Context(), connect.NewRequest(&wactorv1.CreateBackupRequest{}))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

// restoreFrom puts the newest backup in place of the world's data.
func (w *world) restoreFrom(folder string) backup.Restored {
	w.t.Helper()
	target, err := backup.OpenTarget("file://" + folder)
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := backup.Find(w.t.Context(), target, backup.Latest)
	if err != nil {
		w.t.Fatal(err)
	}
	data := filepath.Join(w.dir, "data")
	fill := func(put func(shard uint32, key, value []byte) error) error { return nil }
	if _, err := store.Restore(data, int(m.Shards), m.Epoch+1, fill); !errors.Is(err, store.ErrNotEmpty) {
		w.t.Errorf("a restore over data: %v", err)
	}
	if err := os.RemoveAll(data); err != nil {
		w.t.Fatal(err)
	}
	var restored backup.Restored
	_, err = store.Restore(data, int(m.Shards), m.Epoch+1,
		func(put func(shard uint32, key, value []byte) error) (err error) {
			restored, err = backup.Restore(w.t.Context(), target, m, backup.RestoreOptions{}, put)
			return err
		})
	if err != nil {
		w.t.Fatal(err)
	}
	return restored
}

// TestARestoredNodeGoesOn: conversations go on with their states, message ids are remembered, and
// what had not left is a dead letter and is not sent.
func TestARestoredNodeGoesOn(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	more := fmt.Sprintf("backup: { to: %q, encrypt: { off: true } }", "file://"+folder)
	cfg := w.counter(more)
	release := make(chan struct{})
	w.hold = func(to string) {
		if strings.HasSuffix(to, "9") {
			<-release
		}
	}
	n := w.start(cfg)
	for user := range 20 {
		w.send(n, fmt.Sprintf("49151000000%02d", 10+user), fmt.Sprint("wamid.", user), "a")
	}
	w.await("4915100000010", 1)
	w.await("4915100000028", 1)
	created, err := w.backUp(n)
	if err != nil || created.Conversations != 20 || created.Shards != uint32(cfg.Cluster.Shards) {
		t.Fatalf("backup %v, %v", created, err)
	}
	old, epoch := n.store.Cluster(), n.store.Epoch()
	close(release)
	w.await("4915100000019", 1) // sent by the old cluster behind the backup
	w.await("4915100000029", 1)
	w.send(n, "4915100000010", "wamid.late", "lost")
	w.await("4915100000010", 2)
	w.stop(n)

	// Two replies had not left. Of others the commit that says so may not have been made.
	if restored := w.restoreFrom(folder); restored.Conversations != 20 || restored.Held < 2 {
		t.Errorf("restored %+v", restored)
	}
	n = w.start(cfg)
	if n.store.Cluster() == old || n.store.Epoch() != epoch+1 {
		t.Errorf("cluster %x of epoch %d, before %x and %d", n.store.Cluster(), n.store.Epoch(), old, epoch)
	}
	if status := w.send(n, "4915100000010", "wamid.0", "a"); status != http.StatusOK {
		t.Errorf("a message that was accepted before: status %d", status)
	}
	w.send(n, "4915100000010", "wamid.new", "b")
	want := []string{"step 1: a", "step 2: lost", "step 2: b"}
	if diff := cmp.Diff(want, w.await("4915100000010", 3)); diff != "" {
		t.Error(diff)
	}
	w.send(n, "4915100000019", "wamid.new9", "b")
	want = []string{"step 1: a", "step 2: b"}
	if diff := cmp.Diff(want, w.await("4915100000019", 2)); diff != "" {
		t.Errorf("who has a dead letter:\n%s", diff)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := map[string]bool{}
	for _, r := range w.taken {
		if ids[r.id] {
			t.Errorf("reply %s left twice", r.id)
		}
		ids[r.id] = true
	}
}

// TestBackupsNeedATarget: without one the API says what is missing.
func TestBackupsNeedATarget(t *testing.T) {
	w := newWorld(t)
	_, err := w.backUp(w.start(w.counter()))
	if connect.CodeOf(err) != connect.CodeFailedPrecondition || !strings.Contains(err.Error(), "backup.to") {
		t.Error(err)
	}
}

// TestBackupsAreMadeByThemselves: on a schedule, the oldest go, metrics say how old the newest is,
// and a target that fails is counted and tried again.
func TestBackupsAreMadeByThemselves(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	cfg := w.counter(fmt.Sprintf("backup: { to: %q, encrypt: { off: true } }", "file://"+folder))
	cfg.Backup.Every = 300 * time.Millisecond // less than a configuration may say
	cfg.Backup.Keep = config.Keep{Last: 2}
	if err := errors.Join(os.Remove(folder), os.WriteFile(folder, nil, 0o600)); err != nil {
		t.Fatal(err) // a file stands where the folder should be
	}
	n := w.start(cfg)
	id := fmt.Sprintf("%016x", n.store.Cluster())
	in := filepath.Join(folder, id)
	w.awaitMetric(n, "wactor_backup_failures_total", func(v float64) bool { return v > 1 })
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	w.awaitMetric(n, "wactor_backup_bytes", func(v float64) bool { return v > 0 })
	seen := map[string]bool{}
	for deadline := time.Now().Add(20 * time.Second); len(seen) < 4; time.Sleep(20 * time.Millisecond) {
		entries, _ := os.ReadDir(in)
		for _, entry := range entries {
			seen[entry.Name()] = true
		}
		if len(entries) > 4 || time.Now().After(deadline) { // two, the one that is made, and one that is removed
			t.Fatalf("%d backups are there, %d were seen", len(entries), len(seen))
		}
	}
	w.awaitMetric(n, "wactor_backup_age_seconds", func(v float64) bool { return v < 5 })
	w.stop(n)
	target, err := backup.OpenTarget("file://" + folder)
	if err != nil {
		t.Fatal(err)
	}
	m, err := backup.Newest(t.Context(), target, n.store.Cluster())
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := backup.Verify(t.Context(), target, m, backup.Audit, nil); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

// awaitMetric waits until a metric has a value.
func (w *world) awaitMetric(n *Node, name string, want func(float64) bool) {
	w.t.Helper()
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_, text = w.get(n, "/metrics")
		for line := range strings.Lines(text) {
			if value, ok := strings.CutPrefix(line, name+" "); ok {
				if v, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && want(v) {
					return
				}
			}
		}
	}
	w.t.Fatalf("%s does not get there:\n%s", name, text)
}

// TestAnEmptyNodeRestoresItself where the configuration wants it, and never over data.
func TestAnEmptyNodeRestoresItself(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	cfg := w.counter(fmt.Sprintf("backup: { to: %q, encrypt: { off: true } }\n"+
		"restore: { from: latest, if: empty }", "file://"+folder))
	n := w.start(cfg) // there is none yet
	w.send(n, "4915100000001", "wamid.1", "a")
	w.await("4915100000001", 1)
	if _, err := w.backUp(n); err != nil {
		t.Fatal(err)
	}
	w.send(n, "4915100000001", "wamid.2", "b")
	w.await("4915100000001", 2)
	w.stop(n)
	n = w.start(cfg) // there is data: it goes on with that
	w.send(n, "4915100000001", "wamid.3", "c")
	w.await("4915100000001", 3)
	w.stop(n)
	if err := os.RemoveAll(filepath.Join(w.dir, "data")); err != nil {
		t.Fatal(err)
	}
	n = w.start(cfg)
	w.send(n, "4915100000001", "wamid.4", "d")
	want := []string{"step 1: a", "step 2: b", "step 3: c", "step 2: d"}
	if diff := cmp.Diff(want, w.await("4915100000001", 4)); diff != "" {
		t.Error(diff)
	}
	w.stop(n)

	// One that was interrupted is no store, and is begun anew.
	data := filepath.Join(w.dir, "data")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the power went")
	_, err := store.Restore(data, cfg.Cluster.Shards, 1, func(put func(uint32, []byte, []byte) error) error {
		return errors.Join(put(1, []byte("\x10shop/x\x00\x01\x01"), []byte("x")), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	alone := w.counter()
	if _, err := Start(alone, Options{}); !errors.Is(err, store.ErrRestoring) {
		t.Errorf("a start on half a restore: %v", err)
	}
	n = w.start(w.counter(fmt.Sprintf("backup: { to: %q, encrypt: { off: true } }\n"+
		"restore: { from: latest, if: empty }", "file://"+folder)))
	w.send(n, "4915100000001", "wamid.5", "e")
	if got := w.await("4915100000001", 5)[4]; got != "step 2: e" {
		t.Errorf("the restore that was begun anew: %q", got)
	}
}
