package placement

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the histories under testdata")

// TestHistories replays the histories under testdata: commands on lines that begin with "> ", and
// below each what came of it. Run with -rewrite to rewrite them, and review the diff.
//
//	new NODE ...               a group with a voter on each node; the first leads
//	wanted NODE ...            what the meta group wants, the preferred leader first
//	alive NODE ...             these nodes are back
//	dead NODE ...              these nodes died
//	caughtup NODE ...          their replicas have the log up to now
//	leader NODE                it was elected
//	step                       the leader asks for its next step, and takes it
//	leave                      raft leaves the joint configuration; voters that go are learners from then on
//	finish                     steps, with all that is alive catching up, until there is nothing to do but to wait
func TestHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(string(want))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("history differs (-file +now):\n%s", diff)
			}
		})
	}
}

func replay(text string) string {
	var out strings.Builder
	w := newWorld(1)
	for line := range strings.Lines(text) {
		command, isCommand := strings.CutPrefix(line, "> ")
		if isCommand || strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			out.WriteString(line)
		}
		if !isCommand {
			continue
		}
		words := strings.Fields(command)
		nodes := parseIDs(words[1:])
		switch words[0] {
		case "new":
			w = newWorld(nodes[0], nodes[1:]...)
			w.demotes = true
		case "step":
			w.stepOnce(&out)
		case "finish":
			for w.wake(); w.stepOnce(&out); w.wake() {
				if w.group.Joint {
					w.leave()
					fmt.Fprintf(&out, "    left: %v\n", w)
				}
			}
		default:
			w.happen(words[0], nodes)
			fmt.Fprintf(&out, "  %v\n", w)
		}
	}
	return out.String()
}

// stepOnce takes one step, and reports whether it did anything.
func (w *world) stepOnce(out *strings.Builder) bool {
	step := w.tell()
	fmt.Fprintf(out, "  %s\n", describe(step))
	if step.Kind == None || step.Kind == Wait {
		return false
	}
	w.carryOut(step)
	fmt.Fprintf(out, "    %v\n", w)
	return true
}

// wake lets the replicas on live nodes catch up.
func (w *world) wake() {
	for i := range w.group.Replicas {
		r := &w.group.Replicas[i]
		r.CaughtUp = r.CaughtUp || !w.unseen[r.Node]
	}
}

func (w *world) happen(what string, nodes []uint64) {
	switch what {
	case "wanted":
		w.wanted = nodes
	case "leave":
		w.leave()
	case "leader":
		w.group.Self = nodes[0]
	}
	for _, node := range nodes {
		switch r := w.on(node); {
		case what == "alive":
			delete(w.dead, node)
			delete(w.unseen, node)
		case what == "dead":
			w.dead[node], w.unseen[node] = true, true
		case what == "caughtup" && r != nil:
			r.CaughtUp = true
		}
	}
	w.look()
}

// parseIDs reads numbers, each with or without an n before it.
func parseIDs(words []string) []uint64 {
	var found []uint64
	for _, word := range words {
		id, err := strconv.ParseUint(strings.TrimPrefix(word, "n"), 10, 64)
		if err != nil {
			panic(fmt.Sprintf("%q is no node", word))
		}
		found = append(found, id)
	}
	return found
}

// describe shows a step, replicas by their ids.
func describe(step Step) string {
	words := []string{step.Kind.String()}
	for _, node := range step.Nodes {
		words = append(words, fmt.Sprintf("n%d", node))
	}
	list := func(title string, ids []uint64) {
		if len(ids) > 0 {
			words = append(words, title)
		}
		for _, id := range slices.Sorted(slices.Values(ids)) {
			words = append(words, fmt.Sprint(id))
		}
	}
	list("promote", step.Promote)
	list("remove", step.Remove)
	if step.To != 0 {
		words = append(words, fmt.Sprint(step.To))
	}
	return strings.Join(words, " ")
}
