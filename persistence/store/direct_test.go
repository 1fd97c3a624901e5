package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// gatedSync holds up syncs of the log while it is armed.
type gatedSync struct {
	armed, arrived, open chan struct{}
}

func (g *gatedSync) String() string { return "gate" }

// MaybeError implements errorfs.Injector.
func (g *gatedSync) MaybeError(op errorfs.Op) error {
	if op.Kind == errorfs.OpFileSyncData && strings.HasSuffix(op.Path, ".log") {
		select {
		case <-g.armed:
			close(g.arrived)
			<-g.open
		default:
		}
	}
	return nil
}

// TestReadersSeeWhatIsOnTheDisk: the engine shows a batch before it is synced. Who reads of it gets
// it only then.
func TestReadersSeeWhatIsOnTheDisk(t *testing.T) {
	checkLeaks(t)
	g := &gatedSync{make(chan struct{}, 1), make(chan struct{}), make(chan struct{})}
	disk := vfs.NewCrashableMem()
	r := open(t, setup{FS: errorfs.Wrap(disk, g), Dir: "store", Shards: 2})
	r.mustCommit(2, commitOf("shop/2", 0))
	release := sync.OnceFunc(func() { close(g.open) })
	defer release()
	g.armed <- struct{}{}
	committed := r.start(1, commitOf("shop/1", 0, put(seen, generation(1)+"id", "")))
	<-g.arrived
	// the engine shows a batch while it is being synced, and sometimes only after the sync began
	awaitShown := func() bool {
		for range 10_000 {
			if exists, err := r.exists(1, "shop/1"); err != nil || exists {
				return err == nil
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
	if !awaitShown() {
		t.Fatal("the engine does not show the batch")
	}
	reads := make(chan string, 3)
	go func() {
		revision, _ := loaded(t, r.Store, 1, "shop/1")
		reads <- fmt.Sprint("revision ", revision)
	}()
	go func() {
		known, err := r.Seen(1, "shop/1", 1, "id")
		reads <- fmt.Sprint("seen ", known, ", ", err)
	}()
	go func() {
		enough := errors.New("enough")
		err := r.Scan(1, "shop/1", head, func(_, _ []byte) error { return enough })
		reads <- fmt.Sprint("scanned ", errors.Is(err, enough))
	}()
	if revision, _ := r.load(2, "shop/2"); revision != 1 { // another shard's readers do not wait
		t.Fatalf("revision %d", revision)
	}
	select {
	case read := <-reads:
		t.Fatalf("%s, which is not on the disk", read)
	case <-committed:
		t.Fatal("a commit was acknowledged before it was synced")
	case <-time.After(50 * time.Millisecond): // time enough to do it wrong
	}
	lost := open(t, setup{FS: disk.CrashClone(vfs.CrashCloneCfg{}), Dir: "store", Shards: 2})
	if revision, _ := lost.load(1, "shop/1"); revision != 0 {
		t.Fatal("the batch was on the disk before it was synced")
	}
	release()
	if o := <-committed; o.err != nil {
		t.Fatal(o.err)
	}
	got := map[string]bool{<-reads: true, <-reads: true, <-reads: true}
	if !got["revision 1"] || !got["seen true, <nil>"] || !got["scanned true"] {
		t.Fatalf("read: %v", got)
	}
}
