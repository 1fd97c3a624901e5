package flow_test

import (
	"os"
	"testing"
	"time"

	"github.com/wactor/wactor/flow"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// BenchmarkStep is one turn of the smallest flow: state in, reply and state out.
func BenchmarkStep(b *testing.B) {
	src, err := os.ReadFile("../examples/counter/flow.yaml")
	if err != nil {
		b.Fatal(err)
	}
	f, err := flow.Parse("flow.yaml", src)
	if err != nil {
		b.Fatal(err)
	}
	in := flow.Input{
		User:    &wactorv1.User{Id: "49151"},
		Message: &wactorv1.Message{Id: "wamid.1", Type: "text", Text: "hello"},
		Now:     time.Unix(1_700_000_000, 0).UTC(),
		State:   []byte(`{"step":"count","vars":{"n":41}}`),
		TurnID:  "T1",
	}
	b.ReportAllocs()
	for b.Loop() {
		out, err := f.Step(in)
		if err != nil || len(out.Replies) != 1 {
			b.Fatal(out, err)
		}
	}
}

// BenchmarkParse is the check of a flow of ordinary size.
func BenchmarkParse(b *testing.B) {
	src, err := os.ReadFile("../examples/orders/flow.yaml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := flow.Parse("flow.yaml", src); err != nil {
			b.Fatal(err)
		}
	}
}
