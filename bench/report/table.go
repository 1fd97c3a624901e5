package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/pairs"
)

// Table writes the results as Markdown.
func (r *Results) Table(w io.Writer) error {
	m := r.Machine
	p := &printer{w: w}
	p.line("`%s`, %s, %d cores (%s), %d GiB, Linux %s, %s, fsync of 1 KiB %.2f ms.", r.Command,
		r.Began.Format("2 January 2006"),
		m.Cores, m.Processor, m.MemoryGiB, m.Kernel, m.Go, m.FsyncMs)
	if len(m.Stores) > 0 {
		p.line("%s.", strings.Join(m.Stores, ", "))
	}
	p.line("Load generator, fake Graph API, stores and servers share the machine; its load average before was %s. %s",
		m.Load, m.Remarks)
	p.line("")
	r.rates(p)
	p.line("")
	r.trials(p)
	r.beside(p)
	r.failures(p)
	return p.err
}

// rates are the tables of speeds: the highest rates, and then each common rate.
func (r *Results) rates(p *printer) {
	p.line("Highest rate: end-to-end p99 under 500 ms and nothing left behind, each rate held for %s s by %d users, "+
		"and tried a second time where that failed; how "+
		"many were answered a second, until the last reply, which may be up to a second late: less than the rate "+
		"where a queue grew; medians, with least and "+
		"most of the rounds in brackets. CPU seconds are those of servers and stores, per 1,000 messages. %s %s",
		number(r.StepSeconds), r.Users, r.statuses(), r.headroom())
	p.line("")
	p.row("system", "processes", "on disk before the 200", "rounds", "highest rate", "answered there", "CPU there",
		"load generator's CPU there")
	p.row("---", "---:", "---", "---:", "---:", "---:", "---:", "---:")
	for _, s := range r.Systems {
		highest := s.highest()
		p.row(s.Name, strconv.Itoa(s.Processes), s.Promises, strconv.Itoa(highest.rounds), highest.whole("/s"),
			s.atHighest(func(s measure.Step) float64 { return s.PerSecond }).whole("/s"),
			s.atHighest(func(s measure.Step) float64 { return s.CPU }).figures(" s"),
			s.atHighest(func(s measure.Step) float64 { return s.GeneratorCPU }).figures(" s"))
	}
	for i, rate := range r.CommonRates {
		what := "half the lowest of these rates"
		if i > 0 {
			what = "half the lower one of redislock and occ"
		}
		p.line("")
		p.line("At %s messages/s, %s:", thousands(rate), what)
		p.line("")
		p.row("system", "accept p50", "accept p99", "end to end p50", "end to end p99", "CPU per 1,000")
		p.row("---", "---:", "---:", "---:", "---:", "---:")
		for _, s := range r.Systems {
			p.row(s.Name, s.atCommon(i, func(s measure.Step) float64 { return s.Accept.P50 }).figures(" ms"),
				s.atCommon(i, func(s measure.Step) float64 { return s.Accept.P99 }).figures(" ms"),
				s.atCommon(i, func(s measure.Step) float64 { return s.EndToEnd.P50 }).figures(" ms"),
				s.atCommon(i, func(s measure.Step) float64 { return s.EndToEnd.P99 }).figures(" ms"),
				s.atCommon(i, func(s measure.Step) float64 { return s.CPU }).figures(" s"))
		}
	}
}

// statuses says which delivery statuses were posted.
func (r *Results) statuses() string {
	if r.Statuses == "" {
		return "No delivery statuses are posted, which a provider does for each reply, and Wactor alone keeps."
	}
	return "For each reply the delivery statuses " + r.Statuses + " are posted, which Wactor alone keeps."
}

// headroom says how garbage is collected.
func (r *Results) headroom() string {
	if r.Headroom == 0 {
		return "Wactor's node collects garbage seldom, the strategies as Go does by itself."
	}
	return fmt.Sprintf("The strategies collect garbage when there are %d MiB of it, as seldom as Wactor's node.",
		r.Headroom)
}

// trials is the table of wrong answers, over all rounds.
func (r *Results) trials(p *printer) {
	p.line("Lost · doubled · raced · out of order, over all rounds that looked for them; the same reply sent " +
		"again is in brackets, which after a kill is no violation. " +
		"Each trial is at the lowest rate above (bursts: as fast as replies come).")
	p.line("")
	head, rule := []string{"system"}, []string{"---"}
	for _, trial := range measure.Trials {
		head, rule = append(head, string(trial)), append(rule, "---:")
	}
	p.row(append(head, "messages", "slowest reply after the kill")...)
	p.row(append(rule, "---:", "---:")...)
	for _, s := range r.Systems {
		cells, messages := []string{s.Name}, 0
		for _, trial := range measure.Trials {
			result := s.trial(trial)
			cells, messages = append(cells, counts(result)), messages+result.Messages
		}
		slowest := "-"
		if kill := s.trial(measure.Kill); kill.Messages > 0 {
			slowest = fmt.Sprintf("%.1f s", kill.Slowest/1000)
		}
		p.row(append(cells, thousands(float64(messages)), slowest)...)
	}
}

// beside are the systems beside the first one.
func (r *Results) beside(p *printer) {
	for _, s := range r.Systems {
		if len(s.Beside) == 0 {
			continue
		}
		p.line("")
		p.line("%s beside %s: both ran at once, load alternated between them in slices of %s s, and each slice of one "+
			"is compared with that of the other beside it, so that what the machine did to both is not in the ratio. "+
			"Medians, with a bootstrapped interval.", s.Name, r.Systems[0].Name, number(r.StepSeconds/2))
		p.line("")
		if err := pairs.Table(p.w, r.Systems[0].Name, s.Name, s.Beside); p.err == nil {
			p.err = err
		}
	}
}

// failures are what is missing above.
func (r *Results) failures(p *printer) {
	for _, s := range r.Systems {
		for _, failure := range s.Failures {
			p.line("")
			p.line("Not measured: %s, %s", s.Name, failure)
		}
	}
}

// counts are the kinds of violations; those that are rare are printed only where there are any.
func counts(r measure.Result) string {
	if r.Messages == 0 {
		return "-"
	}
	out := fmt.Sprintf("%d · %d · %d · %d", r.Lost, r.Doubled, r.Raced, r.OutOfOrder)
	if r.Skipped > 0 {
		out += fmt.Sprintf(", %d skipped", r.Skipped)
	}
	if r.Stray > 0 {
		out += fmt.Sprintf(", %d stray", r.Stray)
	}
	if r.Resent > 0 {
		out += fmt.Sprintf(" (%d)", r.Resent)
	}
	return out
}

// whole is the spread in whole numbers.
func (s spread) whole(unit string) string { return s.print(thousands, unit) }

// figures is the spread with two or three figures.
func (s spread) figures(unit string) string { return s.print(number, unit) }

func (s spread) print(one func(float64) string, unit string) string {
	switch {
	case s.rounds == 0:
		return "-"
	case one(s.least) == one(s.most):
		return one(s.median) + unit
	}
	return fmt.Sprintf("%s%s (%s to %s)", one(s.median), unit, one(s.least), one(s.most))
}

func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 10:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return thousands(v)
}

func thousands(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, values ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", values...); p.err == nil {
		p.err = err
	}
}

func (p *printer) row(cells ...string) { p.line("%s", "| "+strings.Join(cells, " | ")+" |") }
