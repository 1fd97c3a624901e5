package control

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/internal/clock"
)

// empty is a node without a cluster, whose disk outlives it.
type empty struct {
	Identity
	disk *uint64
	full error
}

func (empty) Node() uint64        { return 7 }
func (empty) Cluster() uint64     { return 0 }
func (e empty) Consented() uint64 { return *e.disk }
func (e empty) Consent(founder uint64) error {
	if e.full == nil {
		*e.disk = founder
	}
	return e.full
}

func (e empty) start() *formation {
	return newFormation(&Control{Options: Options{Identity: e, Scheduler: clock.System{}, Config: Config{Expect: 3}}})
}

// TestConsentOutlivesARestart: a node that would forget it could help two founders, where there are
// more nodes than were meant.
func TestConsentOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := empty{disk: new(uint64)}
		if reason := host.start().nominate(5); reason != "" {
			t.Fatal(reason)
		}
		time.Sleep(consentFor - 1)
		again := host.start()
		for _, founder := range []uint64{3, 7} {
			time.Sleep(consentFor/2 - 1)
			if again.nominate(founder) == "" {
				t.Errorf("a node that was restarted consents to %d, having consented to 5", founder)
			}
		}
		if reason := again.nominate(5); reason != "" {
			t.Errorf("the first founder asks again: %s", reason)
		}
		time.Sleep(consentFor)
		if reason := again.nominate(3); reason != "" {
			t.Errorf("the first founder is gone: %s", reason)
		}
		if *host.disk != 3 {
			t.Errorf("the disk holds a consent to %d", *host.disk)
		}
	})
}

// TestConsentThatIsNotWrittenIsNotGiven: what is not on the disk is not given.
func TestConsentThatIsNotWrittenIsNotGiven(t *testing.T) {
	f := empty{disk: new(uint64), full: errors.New("no space left")}.start()
	if f.nominate(5) == "" {
		t.Error("a consent was given that is not on the disk")
	}
	if f.granted != 0 {
		t.Errorf("a consent to %d is remembered", f.granted)
	}
}
