package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode holds the reader equal to encoding/json, and what is written equal to what was read.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		`{"a":1,"b":[true,false,null,-0.5,1e3,"x"],"a":2}`, ` [ ] `, `{}`, `"\u00e4\ud83d\ude00\ud83d \\\"\/"`, "\"\xff\"", `1e999`, `01`, `-`, `1.`, `.5`, `1e`,
		`nul`, `truefalse`, `[1,]`, `{"a"}`, `{"a":}`, `{,}`, "\"\n\"", `9007199254740993`, `99999999999999999999`, `"`, `"\`, `[[`, `1 2`,
		`"\u2028\u0000"`, `-0`, `1E+2`, `{"":{"":[]}}`, `1e700A`, `[1e700,]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Decode(data)
		want, wantErr := decodeByLibrary(data)
		switch {
		case err == nil && wantErr == nil:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q (-library +reader):\n%s", data, diff)
			}
		case errors.Is(err, ErrTooDeep) || errors.Is(err, ErrTooLarge): // noticed before what may be wrong behind it
			return
		case errors.Is(err, ErrNotNumber) && errors.Is(wantErr, ErrNotJSON): // likewise
			return
		default:
			if !errors.Is(err, wantErr) {
				t.Fatalf("%q: %v, the library says %v", data, err, wantErr)
			}
			return
		}
		written := AppendJSON(nil, got)
		again, err := Decode(written)
		if diff := cmp.Diff(got, again); err != nil || diff != "" || !json.Valid(written) {
			t.Fatalf("%q written as %q: %v\n%s", data, written, err, diff)
		}
	})
}

func decodeByLibrary(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, ErrNotJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrNotJSON
	}
	return Normalise(v)
}
