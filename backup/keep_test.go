package backup

import (
	"errors"
	"path"
	"slices"
	"testing"
	"time"
)

// TestWhatIsKept: of a backup every six hours for 40 days, the last ones, and one of each day and
// week; what is no backup of this cluster stays.
func TestWhatIsKept(t *testing.T) {
	target := newMemory()
	now := time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC) // a Monday
	put := func(cluster string, at time.Time, object string) {
		target.objects[path.Join(cluster, at.Format(nameTime)+"-00000000", object)] = []byte("x")
	}
	const ours, other = "00000000000000c1", "00000000000000c2"
	for at := now; now.Sub(at) < 40*24*time.Hour; at = at.Add(-6 * time.Hour) {
		put(ours, at, manifestName)
		put(ours, at, "shard-0001.wbk")
		put(other, at, manifestName)
	}
	put(ours, now.Add(-time.Hour), "shard-0001.wbk")    // one that is being made
	put(ours, now.Add(-49*time.Hour), "shard-0001.wbk") // two that failed
	put(ours, now.Add(-73*time.Hour), "shard-0001.wbk")
	target.objects[ours+"/notes.txt"] = []byte("x")
	before := len(target.objects)
	removed, err := Prune(t.Context(), target, 0xc1, Keep{Last: 3, Daily: 4, Weekly: 3}, now)
	if err != nil {
		t.Fatal(err)
	}
	whole, drafts, err := namesOf(t.Context(), target, 0xc1)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, name := range whole {
		at, _ := begun(name)
		kept = append(kept, at.Format("01-02T15"))
	}
	want := []string{"11-22T18", "11-27T18", "11-28T18", "11-29T18", "11-30T06", "11-30T12", "11-30T18"}
	if !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
	if len(removed) != 160-len(want) || before-len(target.objects) != 2*len(removed)+2 {
		t.Errorf("removed %d backups, %d of %d objects are left", len(removed), len(target.objects), before)
	}
	if len(drafts) != 2 { // the one that is being made, and the notes
		t.Errorf("drafts %v", drafts)
	}
}

// TestTheNewestOfAClusterIsFound, whatever others lie there.
func TestTheNewestOfAClusterIsFound(t *testing.T) {
	target := newMemory()
	made(t, target)
	if m, err := Newest(t.Context(), target, 0xc1); err != nil || m.Cluster != "00000000000000c1" {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := Newest(t.Context(), target, 0xc2); !errors.Is(err, ErrNone) {
		t.Errorf("of another cluster: %v", err)
	}
}
