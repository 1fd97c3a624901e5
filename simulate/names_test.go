package simulate

import (
	"fmt"
	"testing"
	"time"
)

func TestIdentities(t *testing.T) {
	for names, want := range map[Names]string{
		NamesBoth:     "49150/DE.149150 49150/DE.149150 49150/DE.149150 49150/DE.149150 49150/DE.149150",
		NamesMixed:    "49150/DE.149150 49150/DE.149150 49150/DE.149150 49150/ /DE.149150",
		NamesHidden:   "/DE.149150 /DE.149150 /DE.149150 /DE.149150 /DE.149150",
		NamesChanging: "49150/DE.149150 49150/DE.149150 9949150/DE.249150 9949150/DE.249150 9949150/DE.249150",
	} {
		r := newRecord(&Options{Users: 1, Messages: 5, FirstUser: 49150, Names: names}, "run")
		got := ""
		for k := range 5 {
			phone, userID := r.identity(ref{0, k})
			got += fmt.Sprintf("%s/%s ", phone, userID)
			for _, to := range []string{phone, userID} {
				if user, ok := r.userOf(to); to != "" && (!ok || user != 0) {
					t.Errorf("a reply to %s finds user %d, %v", to, user, ok)
				}
			}
		}
		if got = got[:len(got)-1]; got != want {
			t.Errorf("%s: %s, want %s", names, got, want)
		}
	}
}

func TestDrummingBotIsFound(t *testing.T) {
	report := simulateOn(t, "drummed", func(o *Options) { o.Pattern = Taps })
	if report.Doubled == 0 || report.Violations == 0 {
		t.Errorf("a bot that takes every tap passes: %+v", report)
	}
}

func TestNamesNeedAPatternThatWaits(t *testing.T) {
	o := Options{URL: "http://127.0.0.1:1/", Users: 1, Messages: 1, Pattern: Burst, Concurrency: 1, Names: NamesMixed, Settle: time.Second}
	if _, err := o.check(); err == nil {
		t.Error("names that nobody can know of were let through")
	}
	o.Pattern, o.Names = Pairs, "none"
	if _, err := o.check(); err == nil {
		t.Error("names that there are none of were let through")
	}
}
