package message

import (
	"fmt"
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// Message is something that a step says.
type Message interface {
	// Post makes the replies. The error is an *expr.Failure.
	Post(r *run.Run) error
}

// kind is a key of a structured message.
type kind struct {
	key  string
	read func(*expr.Compiler, *source.Node) Message // nil where it is none, which was reported
}

var kinds = []kind{
	{"text", readText},
	{"buttons", readButtons},
	{"list", readList},
	{"cta", readCallToAction},
	{"media", readMedia},
	{"location", readLocation},
	{"location_request", readLocationRequest},
}

// previewURL is a key beside text.
const previewURL = "preview_url"

func keys() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.key
	}
	return out
}

// Read reads what a step says: a text, a structured message, or a list of both.
func Read(c *expr.Compiler, n *source.Node) []Message {
	items := []*source.Node{n}
	if n.Kind == source.List {
		items = n.Items
		if len(items) > run.MaxReplies {
			c.Report(n.At, fmt.Sprintf("say has %d messages, at most %d in a turn", len(items), run.MaxReplies), "")
		}
	}
	var out []Message
	for _, item := range items {
		if m := readMessage(c, item); m != nil {
			out = append(out, m)
		}
	}
	return out
}

// ReadKind reads what stands behind the key of a kind, such as media.
func ReadKind(c *expr.Compiler, key string, n *source.Node) Message {
	for _, k := range kinds {
		if k.key == key {
			return k.read(c, n)
		}
	}
	return nil
}

func readMessage(c *expr.Compiler, n *source.Node) Message {
	if n.Kind != source.Map {
		return textOf(c, n, false)
	}
	f, ok := c.Fields(n, "a message", append(keys(), previewURL)...)
	if !ok {
		return nil
	}
	found := ""
	for _, key := range keys() {
		switch {
		case !f.Has(key):
		case found != "":
			c.Report(n.At, fmt.Sprintf("a message has both %s and %s", found, key), "make a list of two messages")
			return nil
		default:
			found = key
		}
	}
	switch {
	case f.Has(previewURL) && found == "text":
		c.Yes(f.Get(previewURL), previewURL)
		return textOf(c, f.Get(found), true)
	case f.Has(previewURL):
		c.Report(f.Place(previewURL), "only a text can have preview_url", "")
	}
	if found == "" {
		if len(n.Pairs) == 0 || f.Has(previewURL) {
			c.Report(n.At, "a message is empty", "known: "+strings.Join(keys(), ", "))
		}
		return nil
	}
	return ReadKind(c, found, f.Get(found))
}
