package zone

import "testing"

// TestEveryZone: whatever the database names can be read.
func TestEveryZone(t *testing.T) {
	names := database()
	if len(names) < 500 {
		t.Fatalf("%d zones", len(names))
	}
	for name := range names {
		if _, err := Load(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
