package trust

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	oldText = "the old secret of the cluster"
	newText = "the new secret of the cluster"
)

func mustSecrets(t *testing.T, texts ...string) *Secrets {
	t.Helper()
	s, err := NewSecrets(texts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A node of another version must derive the same: these values never change.
func TestKeysAreStable(t *testing.T) {
	s := mustSecrets(t, oldText)
	got := []string{fmt.Sprintf("%x", s.GossipKeys()[0]), fmt.Sprintf("%x", s.derived[0].authority.Seed())}
	want := []string{
		"afcce69229377759bb4bb593273e67f5fa032a3653be4eba2c0d0d17aca38dd4",
		"e8af3527775d79cc147447bb8bdfd79a0670975216104376fe43631e507722e8",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("gossip key and authority's seed (-want +got):\n%s", diff)
	}
}

func TestSecretsAreRefused(t *testing.T) {
	for name, texts := range map[string][]string{
		"none":         nil,
		"empty":        {""},
		"short":        {"fifteen letters"},
		"blank":        {strings.Repeat(" ", 40)},
		"second short": {oldText, "short"},
		"bytes only":   {"ßßßßßßßßßß"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSecrets(texts)
			if !errors.Is(err, ErrSecret) {
				t.Fatalf("got %v, want ErrSecret", err)
			}
			for _, text := range texts {
				if len(text) > 0 && strings.Contains(err.Error(), text) {
					t.Errorf("the error repeats the text: %v", err)
				}
			}
		})
	}
}

func TestSecretsAreTaken(t *testing.T) {
	for name, test := range map[string]struct {
		texts []string
		keys  int
	}{
		"one":              {[]string{oldText}, 1},
		"two":              {[]string{newText, oldText}, 2},
		"the same twice":   {[]string{oldText, " " + oldText + "\n"}, 1},
		"just long enough": {[]string{"sixteen letters!"}, 1},
		"other alphabets":  {[]string{"ключключключключ"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			keys := mustSecrets(t, test.texts...).GossipKeys()
			if len(keys) != test.keys {
				t.Fatalf("%d keys, want %d", len(keys), test.keys)
			}
			for _, key := range keys {
				if len(key) != 32 {
					t.Errorf("a key has %d bytes, want 32", len(key))
				}
			}
		})
	}
}

func TestFirstSecretComesFirst(t *testing.T) {
	two := mustSecrets(t, newText, oldText).GossipKeys()
	if !bytes.Equal(two[0], mustSecrets(t, newText).GossipKeys()[0]) || !bytes.Equal(two[1], mustSecrets(t,
		oldText).GossipKeys()[0]) {
		t.Error("the keys are not in the order of the texts")
	}
	two[0][0]++
	if bytes.Equal(two[0], mustSecrets(t, newText).GossipKeys()[0]) {
		t.Error("changing a returned key changes the next one")
	}
}

func TestLoopbackIsTheSameEverywhere(t *testing.T) {
	if !bytes.Equal(Public().GossipKeys()[0], Public().GossipKeys()[0]) {
		t.Error("two processes on loopback have different keys")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := mustSecrets(t, oldText)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "secrets", s)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %x", s, s, s, s, s), log.String()} {
		for _, key := range [][]byte{s.derived[0].gossip, s.derived[0].authority} {
			if strings.Contains(text, fmt.Sprintf("%x", key[:4])) || strings.Contains(text,
				strings.Trim(fmt.Sprintf("%d", key[:4]), "[]")) {
				t.Errorf("a key is printed: %s", text)
			}
		}
	}
}
