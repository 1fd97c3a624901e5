package flow_test

import (
	"testing"

	"github.com/wactor/wactor/flow"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// BenchmarkStep is one turn: state in, replies and state out. The counter's is what every benchmark
// of a node contains.
func BenchmarkStep(b *testing.B) {
	const cart = `[{"name":"Croissant","price":1.6,"quantity":6},{"name":"Apple cake","price":3.2,"quantity":2}]`
	for _, c := range []struct{ name, flow, state, text string }{
		{"counter", "counter", `{"step":"count","vars":{"n":41}}`, "hello"},
		{"orders-first", "orders", ``, "hello"},
		{"orders-quantity", "orders", `{"asked":true,"step":"quantity","vars":{"cart":` + cart + `,"orders":"http://127.0.0.1:3000","product":{"name":"Pretzel","price":1.1}}}`, "12"},
		{"orders-review", "orders", `{"step":"cart","vars":{"cart":` + cart + `,"orders":"http://127.0.0.1:3000"}}`, "x"},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := parse(b, "../examples/"+c.flow+"/flow.yaml")
			in := input([]byte(c.state), &wactorv1.Message{Id: "wamid.1", Type: "text", Text: c.text}, 1)
			b.ReportAllocs()
			for b.Loop() {
				out, err := f.Step(in)
				if err != nil || len(out.Replies) == 0 {
					b.Fatal(out, err)
				}
			}
		})
	}
}

// BenchmarkParse is the check of a flow of ordinary size: what a node does once at its start, and
// an editor on every save.
func BenchmarkParse(b *testing.B) {
	src := read(b, "../examples/orders/flow.yaml")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := flow.Parse("flow.yaml", src); err != nil {
			b.Fatal(err)
		}
	}
}
