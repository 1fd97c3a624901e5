package bot

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// The signature was computed with: printf '1790000000.{"a":1}' | openssl dgst -sha256 -hmac s3cret
const signed = "t=1790000000,v1=b3e592eceaf8e8b6c5101a58c2678f5ff4e74c21bed3a56a3130ecc5c7f6ed82"

func TestSignature(t *testing.T) {
	if got := Sign("s3cret", []byte(`{"a":1}`), time.Unix(1_790_000_000, 999)); got != signed {
		t.Errorf("Sign = %s", got)
	}
	sum := strings.TrimPrefix(signed, "t=1790000000,v1=")
	now := time.Unix(1_790_000_000, 0)
	cases := []struct {
		name, secret, header, body string
		after, tolerance           time.Duration
		ok                         bool
	}{
		{"fits", "s3cret", signed, `{"a":1}`, 0, 0, true},
		{"just in time", "s3cret", signed, `{"a":1}`, DefaultTolerance, 0, true},
		{"own tolerance", "s3cret", signed, `{"a":1}`, time.Hour, time.Hour, true},
		{"two signatures", "s3cret", "t=1790000000, v1=00, v1=" + sum, `{"a":1}`, 0, 0, true},
		{"a later scheme", "s3cret", "v2=abc," + signed, `{"a":1}`, 0, 0, true},
		{"too old", "s3cret", signed, `{"a":1}`, DefaultTolerance + 1, 0, false},
		{"from the future", "s3cret", signed, `{"a":1}`, -DefaultTolerance - 1, 0, false},
		{"other body", "s3cret", signed, `{"a":2}`, 0, 0, false},
		{"other secret", "other", signed, `{"a":1}`, 0, 0, false},
		{"no secret", "", Sign("", []byte(`{"a":1}`), now), `{"a":1}`, 0, 0, false},
		{"other time", "s3cret", "t=1790000001,v1=" + sum, `{"a":1}`, 0, 0, false},
		{"two times", "s3cret", "t=1," + signed, `{"a":1}`, 0, 0, false},
		{"no time", "s3cret", "v1=" + sum, `{"a":1}`, 0, 0, false},
		{"no number", "s3cret", "t=x,v1=" + sum, `{"a":1}`, 0, 0, false},
		{"no hex", "s3cret", "t=1790000000,v1=xyz", `{"a":1}`, 0, 0, false},
		{"cut off", "s3cret", signed[:len(signed)-2], `{"a":1}`, 0, 0, false},
		{"empty", "s3cret", "", `{"a":1}`, 0, 0, false},
	}
	for _, c := range cases {
		err := Verify(c.secret, c.header, []byte(c.body), now.Add(c.after), c.tolerance)
		if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add(signed, []byte(`{"a":1}`))
	f.Add("t=1,v1=,v1=00", []byte(nil))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		now := time.Unix(1_790_000_000, 0)
		if err := Verify("s3cret", header, body, now, 0); err == nil && string(body) != `{"a":1}` {
			t.Fatalf("%q was taken for a signature of %q", header, body)
		}
		if err := Verify("s3cret", Sign("s3cret", body, now), body, now, 0); err != nil {
			t.Fatal(err)
		}
	})
}
