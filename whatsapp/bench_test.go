package whatsapp

import (
	"os"
	"testing"
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

func BenchmarkVerify(b *testing.B) {
	body, err := os.ReadFile("testdata/text_webhook.json")
	if err != nil {
		b.Fatal(err)
	}
	secrets := []string{"0123456789abcdef0123456789abcdef"}
	header := Sign(secrets[0], body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if !Verify(secrets, header, body) {
			b.Fatal("not verified")
		}
	}
}
