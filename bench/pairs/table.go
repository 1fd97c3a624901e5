package pairs

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/wactor/wactor/bench/measure"
)

// Row is one of the quantities that are compared.
type Row struct {
	Name string `json:"name"`
	// Unit follows a number of A or B.
	Unit string `json:"unit"`
	Ratio
}

func perSecond(s measure.Step) float64 { return s.PerSecond }
func cpu(s measure.Step) float64       { return s.CPU } // seconds per 1,000 are milliseconds for one
func p50(s measure.Step) float64       { return s.Accept.P50 }
func p99(s measure.Step) float64       { return s.Accept.P99 }

// Rows compares what was measured.
func Rows(all [loads]Measured) []Row {
	half := fmt.Sprintf("at half, %.0f/s", all[Half].Rate)
	return []Row{
		{"highest rate", "/s", all[Full].ratio(perSecond)},
		{"CPU a message at 300/s", " ms", all[Low].ratio(cpu)},
		{"CPU a message " + half, " ms", all[Half].ratio(cpu)},
		{"CPU a message at the highest rate", " ms", all[Full].ratio(cpu)},
		{"accept p50 at 300/s", " ms", all[Low].ratio(p50)},
		{"accept p99 at 300/s", " ms", all[Low].ratio(p99)},
		{"accept p50 " + half, " ms", all[Half].ratio(p50)},
		{"accept p99 " + half, " ms", all[Half].ratio(p99)},
	}
}

// Table writes rows as Markdown.
func Table(w io.Writer, a, b string, rows []Row) error {
	_, err := fmt.Fprintf(w, "| | A: %s | B: %s | B/A | 95 %% interval | pairs |\n"+
		"| --- | ---: | ---: | ---: | ---: | ---: |\n", a, b)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, row.line()); err != nil {
			return err
		}
	}
	return nil
}

func (r Row) line() string {
	if r.Pairs == 0 {
		return fmt.Sprintf("| %s | - | - | - | - | 0 |", r.Name)
	}
	return fmt.Sprintf("| %s | %s%s | %s%s | %.3f | %.3f to %.3f | %d |", r.Name, Figures(r.A), r.Unit, Figures(r.B),
		r.Unit, r.Median, r.Low, r.High, r.Pairs)
}

// Figures returns a number with three figures.
func Figures(v float64) string {
	if v >= 100 || v <= 0 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-int(math.Floor(math.Log10(v)))), 64)
}
