package cloudapi

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wactor/wactor/provider"
)

// Vectors made with: printf %s BODY | openssl dgst -sha256 -hmac SECRET
var signatures = []struct{ name, secret, body, header string }{
	{"ascii", "secret", `{"a":"b"}`, "sha256=5782eb1e80a9c0cc789474a5ab9faf38384866cac1c0151663b2ec9d0082743e"},
	{"escaped, as Meta sends it", "secret", `{"body":"caf\u00e9 \ud83d\udc4d"}`, "sha256=4bf139c3ae75b991a28dae6d1372e36f65654b32f4a0189b672852c126b42818"},
	{"UTF-8", "secret", `{"body":"café 👍"}`, "sha256=ee9bf5e3f888691ba39f043a25eea62b2eaebae3ad60ac64ddf3f2eb51efb3e2"},
	{"slashes as they come", "sécret", `{"url":"https:\/\/x\/"}`, "sha256=47dfc51563d49781515915e6e6c68f558a8db5098e03d0fcacc582b56b67b866"},
	{"empty body", "secret", ``, "sha256=f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169"},
}

func TestSignatureVectors(t *testing.T) {
	for _, v := range signatures {
		t.Run(v.name, func(t *testing.T) {
			if got := Sign(v.secret, []byte(v.body)); got != v.header {
				t.Errorf("Sign = %s, want %s", got, v.header)
			}
			for _, secrets := range [][]string{{v.secret}, {"old", v.secret}, {v.secret, "", "new"}} {
				if !verify(secrets, v.header, []byte(v.body)) {
					t.Errorf("verify(%q) = false", secrets)
				}
			}
			for _, secrets := range [][]string{nil, {""}, {"other"}, {v.secret + " "}} {
				if verify(secrets, v.header, []byte(v.body)) {
					t.Errorf("verify(%q) = true", secrets)
				}
			}
			if verify([]string{v.secret}, v.header, []byte(v.body+" ")) {
				t.Error("a changed body verifies")
			}
		})
	}
}

func TestEmptySecretVerifiesNothing(t *testing.T) {
	if verify([]string{""}, Sign("", []byte("x")), []byte("x")) {
		t.Error("anyone can sign with the empty secret")
	}
}

func TestMalformedSignature(t *testing.T) {
	good := Sign("secret", []byte("x"))
	for header, want := range map[string]bool{
		good:                                  false,
		strings.ToUpper(good):                 true,
		"sha256=" + strings.ToUpper(good[7:]): false,
		"":                                    true,
		"sha256=":                             true,
		good[7:]:                              true,
		"sha1=" + good[7:]:                    true,
		good + "00":                           true,
		good[:len(good)-1]:                    true,
		good[:len(good)-1] + "g":              true,
		" " + good:                            true,
		"sha256=" + strings.Repeat("é", 32):   true,
	} {
		if got := malformed(header); got != want {
			t.Errorf("malformed(%q) = %v", header, got)
		}
		if want && verify([]string{"secret"}, header, []byte("x")) {
			t.Errorf("Verify accepts %q", header)
		}
	}
}

func TestHandshake(t *testing.T) {
	const right = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=tok"
	for query, want := range map[string]string{
		right: "1158201444",
		"hub.mode=subscribe&hub.challenge=a+b%26&hub.verify_token=tok": "a b&",
		"hub.mode=subscribe&hub.challenge=1&hub.verify_token=to":       "",
		"hub.mode=subscribe&hub.challenge=1":                           "",
		"hub.mode=other&hub.challenge=1&hub.verify_token=tok":          "",
		"hub.mode=subscribe&hub.verify_token=tok":                      "",
		"": "",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := handshake(values, "tok"); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", query, got, ok)
		}
	}
	values, _ := url.ParseQuery("hub.mode=subscribe&hub.challenge=1&hub.verify_token=")
	if _, ok := handshake(values, ""); ok {
		t.Error("an empty token accepts everybody")
	}
}

func headerOf(signature string) http.Header { return http.Header{SignatureHeader: {signature}} }

// verify checks a body whole, and again in pieces: a piece may end anywhere.
func verify(secrets []string, header string, body []byte) bool {
	codec := &Codec{AppSecrets: secrets}
	whole := provider.Authentic(codec, headerOf(header), body)
	inPieces := false
	if signature, ok := codec.Signature(headerOf(header)); ok {
		for rest := body; len(rest) > 0; rest = rest[(len(rest)+2)/3:] {
			_, _ = signature.Write(rest[:(len(rest)+2)/3])
		}
		inPieces = signature.Authentic()
	}
	if whole != inPieces {
		panic("the pieces of a body are not worth the whole")
	}
	return whole
}

func malformed(header string) bool {
	_, ok := (&Codec{AppSecrets: []string{"secret"}}).Signature(headerOf(header))
	return !ok
}

func TestBodiesInFlightDoNotMix(t *testing.T) {
	codec := &Codec{AppSecrets: []string{"old", "secret"}}
	bodies := [][]byte{[]byte("one body"), []byte("another body")}
	for range 3 { // the keys are used again
		var checks []provider.Signature
		for _, body := range bodies {
			check, ok := codec.Signature(headerOf(Sign("secret", body)))
			if !ok {
				t.Fatal("a right header is malformed")
			}
			checks = append(checks, check)
		}
		_, _ = checks[1].Write(bodies[1])
		_, _ = checks[0].Write(bodies[0])
		_, _ = checks[0].Write([]byte("!"))
		if checks[0].Authentic() {
			t.Error("a body with one byte more is authentic")
		}
		if !checks[1].Authentic() {
			t.Error("a body that came beside another one is not authentic")
		}
	}
}
