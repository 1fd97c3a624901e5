package value

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNormaliseHasNoOrderOfItsOwn: of two keys that come out equal, the same one always stays.
func TestNormaliseHasNoOrderOfItsOwn(t *testing.T) {
	for range 20 {
		got, err := Normalise(map[string]any{"\xfd": 1, "\xff": 3, "\xfe": 2})
		if diff := cmp.Diff(map[string]any{"\uFFFD": 3}, got); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	}
}
