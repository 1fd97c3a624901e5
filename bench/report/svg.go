package report

import (
	"fmt"
	"html"
	"strings"
)

// drawing is an SVG that reads in light and dark: text and lines take the colour of the reader's
// scheme, and the colours of the series were chosen to be distinct on both, by people who see few
// colours too (after Okabe and Ito).
type drawing struct {
	strings.Builder
	width, height int
}

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .small { font-size: 11px; fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .range { stroke: #1f2328; stroke-width: 1.5; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .range { stroke: #f0f6fc; }
    .ground { fill: #0d1117; }
  }
`

// colours of the series, in their order.
var colours = []string{"#0072b2", "#56b4e9", "#999999", "#cc79a7", "#e69f00", "#009e73", "#d55e00", "#b8a800"}

func newDrawing(width, height int, title string) *drawing {
	d := &drawing{width: width, height: height}
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`,
		width, height, width, height)
	fmt.Fprintf(d, "\n<title>%s</title>\n<style>%s</style>\n", html.EscapeString(title), style)
	fmt.Fprintf(d, `<rect class="ground" width="%d" height="%d" rx="6"/>`+"\n", width, height)
	d.text(20, 28, "start", "title", title)
	return d
}

func (d *drawing) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class,
		html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(d, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x1, y1, x2, y2, class)
}

func (d *drawing) bar(x, y, width, height float64, colour string) {
	fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2" fill="%s"/>`+"\n", x, y, width, height,
		colour)
}

func (d *drawing) dot(x, y float64, colour string) {
	fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x, y, colour)
}

func (d *drawing) path(points [][2]float64, colour string) {
	for i, p := range points {
		word := "L"
		if i == 0 {
			d.WriteString(`<path fill="none" stroke-width="2" stroke-linejoin="round" stroke="` + colour + `" d="`)
			word = "M"
		}
		fmt.Fprintf(d, "%s%.1f %.1f ", word, p[0], p[1])
	}
	if len(points) > 0 {
		d.WriteString(`"/>` + "\n")
	}
}

func (d *drawing) end() string { return d.String() + "</svg>\n" }
