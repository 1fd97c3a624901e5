package pseudonym

import "testing"

func TestNamesAreStableAndDependOnTheSecret(t *testing.T) {
	name := New("secret").Name("shop/4915100000001")
	if again := New("secret").Name("shop/4915100000001"); again != name || !Is(name) {
		t.Errorf("%s, then %s", name, again)
	}
	if other := New("another").Name("shop/4915100000001"); other == name {
		t.Errorf("another secret gives the same name %s", other)
	}
	if other := New("secret").Name("shop/4915100000002"); other == name {
		t.Errorf("another user has the same name %s", other)
	}
	for _, text := range []string{"", "4915100000001", "0123456789ABCDEF", "0123456789abcdefg"} {
		if Is(text) {
			t.Errorf("%q is no name", text)
		}
	}
}
