package backup

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

type heldShard = clusterv1.HeldShard

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestABackupHoldsWhatTheClusterHas: in memory and in a folder, encrypted and not, and each level
// finds nothing.
func TestABackupHoldsWhatTheClusterHas(t *testing.T) {
	key := newKey(t)
	inFolder, err := OpenTarget("file://" + t.TempDir() + "/backups")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]Target{"memory": newMemory(), "folder": inFolder} {
		for _, recipients := range [][]age.Recipient{nil, {key.Recipient()}} {
			m := made(t, target, recipients...)
			found, err := Find(t.Context(), target, Latest)
			if err != nil || found.Name != m.Name || found.Epoch != 4 || found.Cluster != "00000000000000c1" ||
				found.Encrypted != (recipients != nil) || found.Objects[1].Index != 102 {
				t.Fatalf("%s: found %+v, %v", name, found, err)
			}
			if diff := cmp.Diff(newCluster().shards, all(t, target, found, key)); diff != "" {
				t.Fatalf("%s (-cluster +backup):\n%s", name, diff)
			}
			if sums := found.Totals(); sums.Conversations != 3*testShards {
				t.Errorf("%d conversations", sums.Conversations)
			}
			for _, level := range Levels {
				if problems, err := Verify(t.Context(), target, found, level, []age.Identity{key}); err != nil ||
					len(problems) > 0 {
					t.Errorf("%s: level %s: %v, %v", name, level, problems, err)
				}
			}
		}
		listed, err := List(t.Context(), target)
		if err != nil || len(listed) != 2 {
			t.Fatalf("%s: %v, %v", name, listed, err)
		}
		for _, one := range listed {
			if err := Delete(t.Context(), target, one.Name); err != nil {
				t.Error(err)
			}
		}
		if left, err := target.List(t.Context(), ""); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
}

// TestAFailedBackupLeavesNone: wherever the bucket begins to answer 503, there is an error, and no
// backup.
func TestAFailedBackupLeavesNone(t *testing.T) {
	for after := 0; ; after++ {
		target := newMemory()
		target.failAfter = after
		_, err := Create(t.Context(), newCluster(), target, Options{})
		if err == nil {
			if after < testShards {
				t.Errorf("only %d writes were needed", after)
			}
			return
		}
		if !errors.Is(err, errBucket) {
			t.Errorf("after %d writes: %v", after, err)
		}
		if len(target.objects) > 0 {
			t.Errorf("after %d writes %d objects are left", after, len(target.objects))
		}
	}
}

// TestAnEndedBackupLeavesNone: its context ends while a shard is read.
func TestAnEndedBackupLeavesNone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	target, cluster := newMemory(), newCluster()
	session := &endingSession{fakeSession{cluster: cluster}, cancel}
	cluster.sessions = func() []Session { return []Session{session} }
	if _, err := Create(ctx, cluster, target, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(target.objects) > 0 || !session.closed {
		t.Errorf("%d objects are left, closed: %v", len(target.objects), session.closed)
	}
}

type endingSession struct {
	fakeSession
	end func()
}

func (s *endingSession) Read(ctx context.Context, shard uint32, each func(key, value []byte) error) error {
	if shard == 2 {
		s.end()
	}
	return s.fakeSession.Read(ctx, shard, each)
}

// TestACutIsTriedAgain: where a leader changes between hold and view, or the hold ended, all views
// are taken anew; where a shard has no leader, the error names it.
func TestACutIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, step := range []string{"hold", "view", "release"} {
			cluster, tries := newCluster(), 0
			var sessions []*fakeSession
			cluster.sessions = func() []Session {
				s := &fakeSession{cluster: cluster}
				if tries++; tries < cutTries {
					s.fail = map[string]error{step: errors.New("the leader changed")}
				}
				sessions = append(sessions, s)
				return []Session{s}
			}
			if _, err := Create(t.Context(), cluster, newMemory(), Options{}); err != nil || tries != cutTries {
				t.Errorf("%s: %d tries, %v", step, tries, err)
			}
			for _, s := range sessions {
				if !s.closed {
					t.Errorf("%s: a session was left open", step)
				}
			}
		}
		cluster := newCluster()
		cluster.sessions = func() []Session { return []Session{&fakeSession{cluster: cluster, leads: []uint32{1, 3}}} }
		_, err := Create(t.Context(), cluster, newMemory(), Options{})
		if want := "backup: no view of all shards could be taken in 5 tries: shard 2 has no leader that answers"; err ==
			nil || err.Error() != want {
			t.Errorf("got %v", err)
		}
	})
}

// TestTheNewestLeaderIsViewed: of two nodes that take themselves for the leader of a shard, the one
// of the higher term has the view.
func TestTheNewestLeaderIsViewed(t *testing.T) {
	cluster, stale := newCluster(), newCluster()
	stale.shards[2] = map[string][]byte{}
	cluster.sessions = func() []Session {
		return []Session{&fakeSession{cluster: stale, leads: []uint32{2}, term: 3},
			&fakeSession{cluster: cluster, term: 4}, &fakeSession{cluster: stale, leads: []uint32{2}, term: 2}}
	}
	target := newMemory()
	created, err := Create(t.Context(), cluster, target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cluster.shards, all(t, target, created.Manifest)); diff != "" {
		t.Error(diff)
	}
}

// TestTheRateIsKept: what is read at once waits until so much may have been read.
func TestTheRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pacer{rate: 1 << 20, began: time.Now()}
		for range 50 {
			if err := p.wait(t.Context(), 100<<10); err != nil {
				t.Fatal(err)
			}
		}
		if took, want := time.Since(p.began), 4800*time.Millisecond; took < want || took > want+200*time.Millisecond {
			t.Errorf("5000 KiB at 1 MiB a second took %v", took)
		}
	})
}
