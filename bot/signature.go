package bot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries the signature of a request: t=<unix seconds>,v1=<hex of
// HMAC-SHA256(secret, "<t>.<body>")>.
const SignatureHeader = "Wactor-Signature"

// DefaultTolerance is how far the time of a signature may lie from now. Every attempt of a turn is
// signed anew.
const DefaultTolerance = 5 * time.Minute

// ErrSignature reports a request that was not signed with the secret, or not now.
var ErrSignature = errors.New("bot: bad signature")

// Sign returns the value of SignatureHeader for a body that is sent at a time.
func Sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

// Verify is for bots written in Go: it reports whether header is a signature of body (the raw
// bytes, as received) with secret, made within tolerance of now, before or after; 0 means
// DefaultTolerance. Where the header holds several v1 values, one that fits is enough. Errors wrap
// ErrSignature.
func Verify(secret, header string, body []byte, now time.Time, tolerance time.Duration) error {
	if secret == "" {
		return fmt.Errorf("%w: no secret to verify with", ErrSignature)
	}
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	t, sums, err := parseSignature(header)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: t is not a number of seconds", ErrSignature)
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > tolerance {
		return fmt.Errorf("%w: made too far from now", ErrSignature)
	}
	want := mac(secret, t, body)
	for _, sum := range sums {
		if hmac.Equal(sum, want) {
			return nil
		}
	}
	return fmt.Errorf("%w: no v1 fits the body", ErrSignature)
}

// parseSignature returns the time as it was written, since that is what was signed, and the
// signatures. Unknown keys are skipped: they are room for a v2.
func parseSignature(header string) (t string, sums [][]byte, err error) {
	for part := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "t":
			if t != "" {
				return "", nil, fmt.Errorf("%w: two times", ErrSignature)
			}
			t = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				sums = append(sums, sum)
			}
		}
	}
	if t == "" || len(sums) == 0 {
		return "", nil, fmt.Errorf("%w: not t=<seconds>,v1=<hex>", ErrSignature)
	}
	return t, sums, nil
}

func mac(secret, t string, body []byte) []byte {
	hash := hmac.New(sha256.New, []byte(secret))
	hash.Write([]byte(t))
	hash.Write([]byte{'.'})
	hash.Write(body)
	return hash.Sum(nil)
}
