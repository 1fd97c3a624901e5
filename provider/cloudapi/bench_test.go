package cloudapi

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/wactor/wactor/provider"
)

func BenchmarkDecode(b *testing.B) {
	body, err := os.ReadFile("testdata/text_webhook.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeEncodingJSON is the design that was refused: encoding/json down to the messages,
// each as RawMessage and once more for its fields. It reads less than Decode does (no senders, no
// types but text).
func BenchmarkDecodeEncodingJSON(b *testing.B) {
	body, err := os.ReadFile("testdata/text_webhook.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var envelope struct {
			Object string
			Entry  []struct {
				Changes []struct {
					Field string
					Value struct {
						Metadata struct {
							Number string `json:"phone_number_id"`
						}
						Contacts []struct {
							WaID    string `json:"wa_id"`
							UserID  string `json:"user_id"`
							Profile struct{ Name string }
						}
						Messages []json.RawMessage
					}
				}
			}
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			b.Fatal(err)
		}
		var message struct {
			ID, From, Type, Timestamp string
			Text                      struct{ Body string }
		}
		if err := json.Unmarshal(envelope.Entry[0].Changes[0].Value.Messages[0], &message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	body, err := os.ReadFile("testdata/text_webhook.json")
	if err != nil {
		b.Fatal(err)
	}
	secrets := []string{"0123456789abcdef0123456789abcdef"}
	header, codec := Sign(secrets[0], body), &Codec{AppSecrets: secrets}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if !provider.Authentic(codec, headerOf(header), body) {
			b.Fatal("not verified")
		}
	}
}
