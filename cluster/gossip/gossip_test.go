package gossip

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/wactor/wactor/internal/freeport"
)

// patience is how long tests wait for what happens in seconds. Only failures take so long.
const patience = 30 * time.Second

// eventually polls until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// safeLog is a log that goroutines write while tests read.
type safeLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *safeLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(line)
}

func (l *safeLog) lines(containing string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), containing)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Two secrets.
const oldText, newText = "the old secret", "the new secret"

// keysOf are keys as secrets yield them: the first one encrypts.
func keysOf(texts ...string) [][]byte {
	var keys [][]byte
	for _, text := range texts {
		key := sha256.Sum256([]byte(text))
		keys = append(keys, key[:])
	}
	return keys
}

// member is a membership under test.
type member struct {
	*Membership
	log     *safeLog
	changes atomic.Int32
}

// join starts a node on loopback that knows addresses of others, and ends it with the test.
func join(t *testing.T, node uint64, change func(*Options), others ...string) *member {
	t.Helper()
	m := &member{log: &safeLog{}}
	options := Options{
		Self: Peer{Node: node, Cluster: 9, Name: fmt.Sprint("node-", node), RPC: ":7947", Version: "1"},
		Bind: "127.0.0.1:0", Join: others, Keys: keysOf(oldText), Label: "test",
		Logger:  slog.New(slog.NewTextHandler(m.log, nil)).With("node", node),
		Changed: func() { m.changes.Add(1) },
	}
	if change != nil {
		change(&options)
	}
	var err error
	if m.Membership, err = Join(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func (m *member) sees(nodes ...uint64) bool {
	got := []uint64{}
	for _, p := range m.Peers() {
		got = append(got, p.Node)
	}
	return cmp.Equal(got, nodes)
}

// trio starts nodes 1, 2 and 3, and waits until all know each other.
func trio(t *testing.T, change func(*Options)) (a, b, c *member) {
	t.Helper()
	a = join(t, 1, change)
	b = join(t, 2, change, a.Address())
	c = join(t, 3, change, a.Address())
	t.Cleanup(func() {
		if n := a.Rejected() + b.Rejected() + c.Rejected(); n != 0 {
			t.Errorf("honest gossip was rejected %d times", n)
		}
	})
	eventually(t, "three nodes know each other", func() bool { return a.sees(2, 3) && b.sees(1, 3) && c.sees(1, 2) })
	return a, b, c
}

// checkLeaks is called first, so that it looks after everything else was closed. The library's
// goroutines end soon after.
func checkLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		// A probe or a hand-shake under way takes its time to notice.
		var err error
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			if err = goleak.Find(before); err == nil {
				return
			}
		}
		t.Error(err)
	})
}

func TestNodesFindEachOther(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	want := []Peer{
		{Node: 1, Cluster: 9, Name: "node-1", RPC: "127.0.0.1:7947", Version: "1", Gossip: a.Address()},
		{Node: 2, Cluster: 9, Name: "node-2", RPC: "127.0.0.1:7947", Version: "1", Gossip: b.Address()},
	}
	if diff := cmp.Diff(want, c.Peers()); diff != "" {
		t.Errorf("node 3 sees (-want +got):\n%s", diff)
	}
	for node, want := range map[uint64]bool{0: false, 1: true, 2: true, 3: true, 4: false} {
		if got := b.Alive(node); got != want {
			t.Errorf("node %d is alive: %v", node, got)
		}
	}
	eventually(t, "changes are reported", func() bool { return a.changes.Load() > 0 && c.changes.Load() > 0 })
	a.Close()
	before := a.changes.Load()
	a.Close()
	if err := a.Leave(time.Second); err != nil {
		t.Errorf("leave after close: %v", err)
	}
	if err := a.Update(a.self); err != nil {
		t.Errorf("update after close: %v", err)
	}
	if a.changes.Load() != before {
		t.Error("changes are reported after close")
	}
}

func TestDeadNodeIsGoneAndComesBack(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	begin := time.Now()
	c.Close()
	eventually(t, "the dead node is gone", func() bool { return a.sees(2) && b.sees(1) })
	t.Logf("gone for both others after %v", time.Since(begin))
	if a.Alive(3) {
		t.Error("the dead node is alive")
	}
	before := a.changes.Load()

	again := join(t, 3, nil, b.Address()) // the same name and node at another port
	eventually(t, "it is back", func() bool { return a.sees(2, 3) && b.sees(1, 3) && again.sees(1, 2) })
	if peers := a.Peers(); peers[1].Gossip != again.Address() {
		t.Errorf("it is back at %s, others call %s", again.Address(), peers[1].Gossip)
	}
	eventually(t, "its return is reported", func() bool { return a.changes.Load() > before })
}

// TestNodeMovesAtOnce: no node knew yet that it was dead.
func TestNodeMovesAtOnce(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	c.Close()
	again := join(t, 3, nil, a.Address())
	eventually(t, "others know the new address", func() bool {
		for _, m := range []*member{a, b} {
			if peers := m.Peers(); len(peers) != 2 || peers[1].Gossip != again.Address() {
				return false
			}
		}
		return again.sees(1, 2)
	})
}

// A new disk under an old name is another node.
func TestNewDiskIsANewNode(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	c.Close()
	fresh := join(t, 4, func(o *Options) { o.Self.Name = "node-3" }, a.Address())
	eventually(t, "the new node is there and the old one gone", func() bool {
		return a.sees(2, 4) && b.sees(1, 4) &&
			fresh.sees(1, 2)
	})
}

func TestLeavingIsSeenAtOnce(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	begin := time.Now()
	if err := c.Leave(5 * time.Second); err != nil {
		t.Error(err)
	}
	if err := c.Leave(5 * time.Second); err != nil {
		t.Errorf("leaving twice: %v", err)
	}
	eventually(t, "the node that left is gone", func() bool { return a.sees(2) && b.sees(1) })
	if took := time.Since(begin); took > suspicionMult*probeInterval {
		t.Errorf("it took %v, as long as if nothing had been said", took)
	}
	if err := c.Update(c.self); err != nil {
		t.Errorf("update after leaving: %v", err)
	}
	c.Close()
	again := join(t, 3, nil, b.Address())
	eventually(t, "it is back", func() bool { return a.sees(2, 3) && b.sees(1, 3) && again.sees(1, 2) })
}

func TestUpdatesArrive(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	before := a.changes.Load()
	self := Peer{Node: 3, Name: "node-3", Cluster: 99, RPC: "rpc.example:1", Zone: "z", Version: "2"}
	if err := c.Update(self); err != nil {
		t.Fatal(err)
	}
	self.Gossip = c.Address()
	for _, m := range []*member{a, b} {
		eventually(t, "the others see the update", func() bool { return len(m.Peers()) == 2 && m.Peers()[1] == self })
	}
	eventually(t, "the update is reported", func() bool { return a.changes.Load() > before })
	if err := c.Update(Peer{Node: 3, Name: "renamed"}); err == nil {
		t.Error("the name changed")
	}
	if err := c.Update(Peer{Node: 3, Name: "node-3", Zone: strings.Repeat("z", 600)}); err == nil {
		t.Error("a zone of 600 bytes is taken")
	}
}

func TestHintsArrive(t *testing.T) {
	checkLeaks(t)
	a, b, c := trio(t, nil)
	everybody := func(want Hint) func() bool {
		return func() bool {
			for _, m := range []*member{a, b, c} {
				if got, _ := m.Leader(want.Shard); got != want {
					return false
				}
			}
			return true
		}
	}
	a.Announce(Hint{Shard: 5, Term: 7, Node: 1})
	eventually(t, "all know the leader", everybody(Hint{5, 7, 1}))
	c.Announce(Hint{Shard: 5, Term: 6, Node: 3}) // does not know that it is late
	b.Announce(Hint{Shard: 5, Term: 8, Node: 2})
	eventually(t, "all know the new leader", everybody(Hint{5, 8, 2}))

	for shard := range uint32(64) {
		b.Announce(Hint{shard, 9, 2})
	}
	for shard := range uint32(64) {
		eventually(t, "all know the leader of each shard", everybody(Hint{shard, 9, 2}))
	}
	d := join(t, 4, nil, c.Address())
	eventually(t, "a node that joins later receives the hints", func() bool {
		h, _ := d.Leader(63)
		return h == Hint{63,
			9, 2}
	})

	e := join(t, 5, func(o *Options) { o.Self.Cluster = 0 }, c.Address())
	eventually(t, "a node without a cluster knows the others", func() bool { return e.sees(1, 2, 3, 4) })
	if h, known := e.Leader(63); known {
		t.Errorf("a node without a cluster knows %+v", h)
	}
	self := e.options.Self
	self.Cluster = 9
	if err := e.Update(self); err != nil {
		t.Fatal(err)
	}
	updated := time.Now()
	eventually(t, "a node that becomes a member receives the hints", func() bool {
		h, _ := e.Leader(63)
		return h == Hint{63, 9,
			2}
	})
	if took := time.Since(updated); took > pushPullInterval/2 {
		t.Errorf("it took %v", took)
	}
}

func TestStrangersDoNotJoin(t *testing.T) {
	checkLeaks(t)
	a := join(t, 1, nil)
	for name, test := range map[string]struct {
		change        func(*Options)
		sayThere, say string
	}{
		"another secret": {
			func(o *Options) { o.Keys = keysOf(newText) },
			"rejected gossip of a program with another secret", "it has another secret",
		},
		"another label": {
			func(o *Options) { o.Label = "other" },
			"rejected gossip of another cluster", "is it a node of this cluster?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := join(t, 2, test.change, a.Address())
			eventually(t, "the one that is joined says so", func() bool { return a.log.lines(test.sayThere) > 0 })
			eventually(t, "the stranger says so", func() bool { return b.log.lines(test.say) > 0 })
			if len(a.Peers())+len(b.Peers()) != 0 {
				t.Errorf("they see each other: %v, %v", a.Peers(), b.Peers())
			}
			if n := a.log.lines(test.sayThere); n != 1 {
				t.Errorf("said %d times", n)
			}
		})
	}
}

func TestSecretIsReplacedInGossip(t *testing.T) {
	checkLeaks(t)
	with := func(texts ...string) func(*Options) {
		return func(o *Options) { o.Keys = keysOf(texts...) }
	}
	a := join(t, 1, with(oldText, newText))
	b := join(t, 2, with(newText, oldText), a.Address())
	eventually(t, "they see each other half-way", func() bool { return a.sees(2) && b.sees(1) })
	a.Announce(Hint{1, 1, 1})
	b.Announce(Hint{2, 1, 2})
	eventually(t, "gossip goes both ways", func() bool {
		_, first := b.Leader(1)
		_, second := a.Leader(2)
		return first && second
	})
}

func TestNoAnswerIsLoggedOnce(t *testing.T) {
	checkLeaks(t)
	address := freeport.Address(t)
	a := join(t, 1, nil, address)
	eventually(t, "it is said", func() bool { return a.log.lines("no other node can be reached") == 1 })
	if !strings.Contains(a.log.String(), address) || !strings.Contains(a.log.String(), "refused") {
		t.Errorf("it is not said which address, and why:\n%s", a.log)
	}
	b := join(t, 2, func(o *Options) { o.Bind = address })
	eventually(t, "they find each other", func() bool { return a.sees(2) && b.sees(1) })
	eventually(t, "it is said that it is over",
		func() bool { return a.log.lines("other nodes can be reached again") == 1 })
}

func TestCloseDoesNotWaitForOthers(t *testing.T) {
	checkLeaks(t)
	// It accepts connections and says nothing.
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	a := join(t, 1, nil, deaf.Addr().String())
	conn, err := deaf.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begin := time.Now()
	a.Close()
	if took := time.Since(begin); took > streamTimeout/2 {
		t.Errorf("it took %v", took)
	}
}

// A node whose metadata can't be read takes part in the gossip, and in nothing else.
func TestUnreadableNodeIsIgnored(t *testing.T) {
	checkLeaks(t)
	a, b := join(t, 1, nil), join(t, 2, nil)
	b.mu.Lock()
	b.metadata = []byte{200, 1, 2, 3}
	b.mu.Unlock()
	_ = b.list.UpdateNode(updateWait)
	c := join(t, 3, nil, a.Address(), b.Address())
	eventually(t, "all are there", func() bool { return a.table.others() == 2 && b.sees(1, 3) && c.sees(1) })
	if !a.sees(3) || a.Alive(2) {
		t.Errorf("node 1 sees %v", a.Peers())
	}
	if n := a.log.lines("ignoring a node whose metadata can't be read"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestOptionsAreRefused(t *testing.T) {
	good := Options{
		Self: Peer{Node: 1, Name: "a"}, Bind: "127.0.0.1:0", Keys: keysOf(oldText),
		Logger: slog.New(slog.DiscardHandler),
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, change := range map[string]func(*Options){
		"no node":           func(o *Options) { o.Self.Node = 0 },
		"no name":           func(o *Options) { o.Self.Name = "" },
		"long name":         func(o *Options) { o.Self.Name = strings.Repeat("n", 600) },
		"no key":            func(o *Options) { o.Keys = nil },
		"short key":         func(o *Options) { o.Keys = [][]byte{{1, 2, 3}} },
		"no logger":         func(o *Options) { o.Logger = nil },
		"bind without port": func(o *Options) { o.Bind = "127.0.0.1" },
		"bind taken":        func(o *Options) { o.Bind = taken.Addr().String() },
		"any of IPv6":       func(o *Options) { o.Bind = "[::]:0" },
		"advertise any":     func(o *Options) { o.Advertise = "0.0.0.0:1" },
		"advertise nothing": func(o *Options) { o.Advertise = ":1" },
		"join port":         func(o *Options) { o.Join = []string{"a:b"} },
		"long label":        func(o *Options) { o.Label = strings.Repeat("l", 300) },
	} {
		t.Run(name, func(t *testing.T) {
			checkLeaks(t)
			options := good
			change(&options)
			m, err := Join(options)
			if err == nil {
				m.Close()
				t.Fatal("taken")
			}
			if !strings.HasPrefix(err.Error(), "gossip: ") {
				t.Errorf("the error does not say where it is from: %v", err)
			}
		})
	}
}
