package providertest

import (
	"net/http"
	"testing"

	"github.com/wactor/wactor/internal/secret"
)

// TestToy: the seam asks for nothing that only one provider has.
func TestToy(t *testing.T) {
	settings := Toy{Line: "1", Secret: secret.New("s")}
	Run(t, Suite{
		Codec:    settings.Codec(),
		Sign:     func([]byte) http.Header { return http.Header{"X-Secret": {"s"}} },
		Webhooks: [][]byte{[]byte(`[{"id":"a","from":"1","text":"hi"},{"id":"b","status":"sent"}]`)},
		Strange:  [][]byte{[]byte(`{}`), []byte(`[{"from":"1"}]`), []byte(`[5]`)},
	})
}
