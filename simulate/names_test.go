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
		r := newRecord(&Options{Load: Load{Users: 1, Messages: 5, FirstUser: 49150, Names: names}}, "run")
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

// TestFirstUserMayBeginAsNewNumbersDo: old and new numbers are distinguished all the same.
func TestFirstUserMayBeginAsNewNumbersDo(t *testing.T) {
	r := newRecord(&Options{Load: Load{Users: 10, Messages: 4, FirstUser: 9949150, Names: NamesChanging}}, "run")
	for to, want := range map[string]int{"9949151": 1, "999949152": 2, "DE.19949153": 3, "DE.29949154": 4} {
		if user, ok := r.userOf(to); !ok || user != want {
			t.Errorf("a reply to %s finds user %d, %v", to, user, ok)
		}
	}
}

func TestDrummingBotIsFound(t *testing.T) {
	report := simulateOn(t, "drummed", func(o *Options) { o.Pattern = Taps })
	if report.Doubled == 0 || report.Violations == 0 {
		t.Errorf("a bot that takes every tap passes: %+v", report)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"taps with media":     func(o *Options) { o.Pattern, o.Media = Taps, 10 },
		"an unknown status":   func(o *Options) { o.Statuses = []string{"delivered", "opened"} },
		"a negative settle":   func(o *Options) { o.Settle = -1 },
		"a negative give-up":  func(o *Options) { o.GiveUp = -1 },
		"a negative latency":  func(o *Options) { o.Faults.MinLatency = -1 },
		"a flood and no rate": func(o *Options) { o.Flood = 1 },
	} {
		o := Options{Target: nowhere, API: API{Statuses: []string{"sent", "read"}}, Load: oneMessage(Steady)}
		if _, err := o.check(); err != nil {
			t.Fatal(err)
		}
		change(&o)
		if _, err := o.check(); err == nil {
			t.Errorf("%s was let through", name)
		}
	}
}

func TestNamesNeedAPatternThatWaits(t *testing.T) {
	o := Options{Target: nowhere, Load: oneMessage(Burst), Settle: time.Second}
	o.Names = NamesMixed
	if _, err := o.check(); err == nil {
		t.Error("names that no server can know of were let through")
	}
	o.Pattern, o.Names = Pairs, "none"
	if _, err := o.check(); err == nil {
		t.Error("names that there are none of were let through")
	}
}
