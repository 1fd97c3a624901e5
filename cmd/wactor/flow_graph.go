package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/flow"
)

func flowGraphCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:   "graph FILE",
		Short: "Draw a flow",
		Long: `Draw the steps of a flow and the ways between them, as text that other programs make a picture of: Mermaid (GitHub shows it in a
fenced block named mermaid) or DOT (Graphviz).`,
		Example: `  wactor flow graph examples/orders/flow.yaml
  wactor flow graph --format dot flow.yaml | dot -Tsvg -o flow.svg`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			draw, ok := map[string]func(io.Writer, *flow.Flow){"mermaid": drawMermaid, "dot": drawDOT}[format]
			if !ok {
				return fmt.Errorf("there is no format %s: mermaid or dot", format)
			}
			f, err := loadFlow(args[0])
			if err != nil {
				return report(err, command.ErrOrStderr())
			}
			draw(command.OutOrStdout(), f)
			return nil
		},
	}
	command.Flags().StringVarP(&format, "format", "f", "mermaid", "mermaid or dot")
	return command
}

// drawMermaid names steps s0, s1, ...: words such as end mean something in Mermaid.
func drawMermaid(out io.Writer, f *flow.Flow) {
	entries, nodes := f.Picture()
	ids := map[string]string{}
	fmt.Fprintln(out, "flowchart TD")
	fmt.Fprintln(out, "  user((user))")
	for i, n := range nodes {
		ids[n.Name] = fmt.Sprintf("s%d", i)
		shape := mermaidShape(n.Exit)
		fmt.Fprintf(out, "  s%d%s\"%s\"%s\n", i, shape[0], n.Name, shape[1])
	}
	line := func(from string, w flow.Way) {
		arrow := "-->"
		if w.Label != "" {
			arrow += "|\"" + strings.NewReplacer(`"`, "#quot;", "\n", " ", "|", "#124;").Replace(w.Label) + "\"|"
		}
		fmt.Fprintf(out, "  %s %s %s\n", from, arrow, ids[w.To])
	}
	eachWay(entries, func(w flow.Way) { line("user", w) })
	for _, n := range nodes {
		eachWay(n.Ways, func(w flow.Way) { line(ids[n.Name], w) })
	}
}

func mermaidShape(exit string) [2]string {
	switch exit {
	case "ask", "choices", "wait":
		return [2]string{"[/", "/]"}
	case "switch":
		return [2]string{"{", "}"}
	case "end", "handoff", "back":
		return [2]string{"([", "])"}
	}
	return [2]string{"[", "]"}
}

func drawDOT(out io.Writer, f *flow.Flow) {
	entries, nodes := f.Picture()
	fmt.Fprintf(out, "digraph %q {\n", f.Name())
	fmt.Fprintln(out, `  node [shape=box, fontname="sans-serif"]; edge [fontname="sans-serif", fontsize=10];`)
	fmt.Fprintln(out, `  "the user" [shape=circle];`)
	for _, n := range nodes {
		fmt.Fprintf(out, "  %q [shape=%s];\n", n.Name, dotShape(n.Exit))
	}
	line := func(from string, w flow.Way) { fmt.Fprintf(out, "  %q -> %q [label=%q];\n", from, w.To, w.Label) }
	eachWay(entries, func(w flow.Way) { line("the user", w) })
	for _, n := range nodes {
		eachWay(n.Ways, func(w flow.Way) { line(n.Name, w) })
	}
	fmt.Fprintln(out, "}")
}

func dotShape(exit string) string {
	switch exit {
	case "ask", "choices", "wait":
		return "parallelogram"
	case "switch":
		return "diamond"
	case "end", "handoff", "back":
		return "oval"
	}
	return "box"
}

// eachWay yields the ways with those to one step as one: ten products that lead to the same
// question are one arrow.
func eachWay(ways []flow.Way, yield func(flow.Way)) {
	var merged []flow.Way
	for _, w := range ways {
		i := slices.IndexFunc(merged, func(m flow.Way) bool { return m.To == w.To })
		switch {
		case i < 0:
			merged = append(merged, w)
		case w.Label != "":
			merged[i].Label = strings.TrimPrefix(merged[i].Label+", "+w.Label, ", ")
		}
	}
	for _, w := range merged {
		yield(w)
	}
}
