package zone_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/wactor/wactor/flow/zone"
)

func TestZones(t *testing.T) {
	moment := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"Europe/Berlin": "14:00", "America/New_York": "08:00", "Asia/Kolkata": "17:30", "UTC": "12:00",
		"Pacific/Chatham": "00:45", "Etc/GMT+3": "09:00",
	} {
		location, err := zone.Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := moment.In(location).Format("15:04"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"", "Local", "Europe", "Europe/", "europe/berlin", "../UTC", "/etc/localtime"} {
		if location, err := zone.Load(name); !errors.Is(err, zone.ErrUnknown) {
			t.Errorf("%q: %v, %v", name, location, err)
		}
	}
}

// TestMachineChangesNoZone runs this test again on a machine whose own files call Tokyo's zone
// Europe/Berlin.
func TestMachineChangesNoZone(t *testing.T) {
	if os.Getenv("ZONEINFO") == "" {
		dir := t.TempDir()
		if err := os.Mkdir(dir+"/Europe", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/Europe/Berlin", tokyo(t), 0o600); err != nil {
			t.Fatal(err)
		}
		again := exec.Command(os.Args[0], "-test.run=^TestMachineChangesNoZone$", "-test.v")
		again.Env = append(os.Environ(), "ZONEINFO="+dir)
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	fooled, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := zone.Load("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	moment := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	if _, offset := moment.In(fooled).Zone(); offset != 9*3600 {
		t.Fatalf("$ZONEINFO is not read at all: %d", offset)
	}
	if _, offset := moment.In(berlin).Zone(); offset != 2*3600 {
		t.Errorf("Berlin is %d s ahead of UTC", offset)
	}
}

// tokyo is a zone that is nine hours ahead of UTC, as a file.
func tokyo(t *testing.T) []byte {
	t.Helper()
	header := append([]byte("TZif\x00"), make([]byte, 15)...)
	counts := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4}
	return append(append(header, counts...), 0, 0, 0x7e, 0x90, 0, 0, 'J', 'S', 'T', 0)
}
