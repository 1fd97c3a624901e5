package media

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Path is that of links, below the base address: Path + channel + "/" + sealed file.
const Path = "/media/"

// Links makes and opens the links of one channel. All that a node has to know of a file is in its
// link: id, kind and hash, sealed, since links stand in the access logs of whatever is on the way.
// It is safe for concurrent use.
//
// The sealing is SIV-like: the signature is an HMAC-SHA256 over channel, expiry and plain text, and
// its first 16 bytes are the initial vector under which AES-CTR encrypts. So equal files have equal
// links until the same second, and no random number is needed in a turn.
type Links struct {
	base    string
	channel string
	life    time.Duration
	keys    atomic.Pointer[[]linkKey]
}

// linkKey is what one secret yields.
type linkKey struct {
	sign  []byte
	block cipher.Block
}

// NewLinks returns the links of a channel below a base address such as https://bots.example.com,
// which live for so long. The keys are derived from the channel's secrets, of which there is at
// least one: the first signs, all of them open. So all nodes that serve the channel can, and no
// link is good for another channel.
func NewLinks(base, channel string, life time.Duration, secrets []string) *Links {
	l := &Links{base: strings.TrimSuffix(base, "/"), channel: channel, life: life}
	l.UseSecrets(secrets)
	return l
}

// UseSecrets replaces the secrets.
func (l *Links) UseSecrets(secrets []string) {
	keys := make([]linkKey, len(secrets))
	for i, secret := range secrets {
		keys[i] = newLinkKey(secret)
	}
	l.keys.Store(&keys)
}

func newLinkKey(secret string) linkKey {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "wactor media links", 64)
	if err != nil {
		panic(err) // of a length that is too large alone
	}
	block, err := aes.NewCipher(key[32:])
	if err != nil {
		panic(err) // likewise
	}
	return linkKey{sign: key[:32], block: block}
}

// linked is what a link tells of a file.
type linked struct {
	id   string
	kind string
	hash []byte // of the content as the webhook named it; nil where it named none
}

// URL returns the link of a received file; empty where the file has no id.
func (l *Links) URL(m *wactorv1.Media, now time.Time) string {
	if m.GetId() == "" {
		return ""
	}
	expires := strconv.FormatInt(now.Add(l.life).Unix(), 10)
	text := linked{id: m.Id, kind: m.Type, hash: provider.ParseSHA256(m.Sha256)}.encode()
	key := (*l.keys.Load())[0]
	signature := key.mac(l.channel, expires, text)
	return l.base + Path + url.PathEscape(l.channel) + "/" + coding.EncodeToString(key.crypt(signature, text)) +
		"?expires=" + expires + "&signature=" + coding.EncodeToString(signature)
}

// Why a link is rejected.
var (
	errBadLink = errors.New("the signature does not fit")
	errExpired = errors.New("the link has expired")
)

// open returns what a link tells.
func (l *Links) open(sealed, expires, signature string, now time.Time) (linked, error) {
	text, err := coding.DecodeString(sealed)
	sum, sumErr := coding.DecodeString(signature)
	if err != nil || sumErr != nil || len(sum) != sha256.Size {
		return linked{}, errBadLink
	}
	for _, key := range *l.keys.Load() {
		plain := key.crypt(sum, text)
		if !hmac.Equal(sum, key.mac(l.channel, expires, plain)) {
			continue
		}
		until, err := strconv.ParseInt(expires, 10, 64)
		if err != nil || now.Unix() >= until {
			return linked{}, errExpired
		}
		return decodeLinked(plain)
	}
	return linked{}, errBadLink
}

var coding = base64.RawURLEncoding

func (k linkKey) mac(channel, expires string, text []byte) []byte {
	hash := hmac.New(sha256.New, k.sign)
	hash.Write([]byte(channel + "\x00" + expires + "\x00"))
	hash.Write(text)
	return hash.Sum(nil)
}

// crypt seals, and opens what is sealed.
func (k linkKey) crypt(signature, text []byte) []byte {
	out := make([]byte, len(text))
	cipher.NewCTR(k.block, signature[:aes.BlockSize]).XORKeyStream(out, text)
	return out
}

// kinds are the kinds of files by their numbers in links; new ones come at the end.
var kinds = []string{"", "image", "audio", "video", "document", "sticker"}

// encode writes one byte for the kind, one for the length of the hash, the hash, and the id.
func (f linked) encode() []byte {
	out := []byte{byte(max(slices.Index(kinds, f.kind), 0)), byte(len(f.hash))}
	return append(append(out, f.hash...), f.id...)
}

// decodeLinked reads what encode wrote, of this version or of a later one.
func decodeLinked(text []byte) (linked, error) {
	if len(text) < 2 || len(text) < 2+int(text[1]) {
		return linked{}, errBadLink
	}
	var f linked
	if n := int(text[0]); n < len(kinds) {
		f.kind = kinds[n]
	}
	hash, id := text[2:2+int(text[1])], text[2+int(text[1]):]
	if len(hash) > 0 {
		f.hash = hash
	}
	f.id = string(id)
	return f, nil
}
