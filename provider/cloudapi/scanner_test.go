package cloudapi

import (
	"encoding/json"
	"testing"
)

// FuzzScanner holds the scanner to encoding/json: the same verdict on what is JSON, and the same
// strings.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x"]}`, `"\ud83d\udc4d\ud83dx"`, `"a\u0000\/\"` + "\xff" + `"`, `[]`, `{}`, ` 1 `, `01`, `-`, `1.`, `1e`,
		`{"a" 1}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `"\x"`, `"\u12"`, `nul`, `truex`, `"\udc4d"`, "\"\x1f\"", `{"a":1}}`, `"\ud83d\u0041"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scanner{data: data}
		s.skip()
		s.end()
		if s.err == ErrTooDeep {
			t.Skip("encoding/json goes deeper")
		}
		if valid := json.Valid(data); valid != (s.err == nil) {
			t.Fatalf("scanner says %v, encoding/json valid %v: %q", s.err, valid, data)
		}
		var want string
		if json.Unmarshal(data, &want) != nil {
			return
		}
		s = scanner{data: data}
		if got := s.text("text"); got != want || s.odd != "" {
			t.Fatalf("%q: got %q, encoding/json %q", data, got, want)
		}
	})
}
