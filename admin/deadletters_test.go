package admin

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// letters is a store whose conversations hold dead letters with raw webhooks of these sizes, or of
// a reply where that is 0, numbered from 1.
type letters []int

func (letters) Load(uint32, string, func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	return 0, nil
}

func (letters) Scan(uint32, string, wactorv1.RecordKind, func(suffix, value []byte) error) error {
	return nil
}

func (l letters) ScanFrom(_ uint32, _ string, _ wactorv1.RecordKind, from []byte, each func(suffix,
	value []byte) error) error {
	for i, size := range l {
		seq := uint64(i + 1)
		if seq < binary.BigEndian.Uint64(from) {
			continue
		}
		letter := &wactorv1.DeadLetter{Seq: seq, Messages: []*wactorv1.Message{{Raw: make([]byte, size)}}}
		if size == 0 {
			letter = &wactorv1.DeadLetter{Seq: seq, Reply: &wactorv1.OutboxReply{}}
		}
		value, err := proto.Marshal(letter)
		if err != nil {
			return err
		}
		if err := each(binary.BigEndian.AppendUint64(nil, seq), value); err != nil {
			return err
		}
	}
	return nil
}

func (letters) SeenValue(uint32, string, uint32, string) ([]byte, error) { return nil, nil }

func (letters) Paused(uint32, string, func(string, []byte) error) error { return nil }

func (letters) Seen(uint32, string, uint32, string) (bool, error) { return false, nil }

func (letters) Conversations(uint32, string, func(string, bool) error) error { return nil }

// TestDeadLettersComeInPages: a thousand webhooks that could not be read, of 3 MiB each, must not
// be held in memory at once.
func TestDeadLettersComeInPages(t *testing.T) {
	stored := letters{400_000, 400_000, 400_000, 3 << 20, 3 << 20}
	for range 150 {
		stored = append(stored, 10)
	}
	s := service(stored, nil)
	var after uint64
	var pages []int
	for more := true; more; {
		response, err := call[*wactorv1.DeadLettersResponse](s, "DeadLetters", &wactorv1.DeadLettersRequest{User: "?",
			Channel: "shop", After: after})
		if err != nil {
			t.Fatal(err)
		}
		page := response.Conversations[0]
		for _, letter := range page.Letters {
			if after++; letter.Seq != after {
				t.Fatalf("letter %d after %d", letter.Seq, after-1)
			}
		}
		pages, more = append(pages, len(page.Letters)), page.More
	}
	if want := []int{2, 1, 1, 1, 100, 50}; after != uint64(len(stored)) || !slices.Equal(pages, want) {
		t.Errorf("pages of %v letters, want %v", pages, want)
	}
}

// TestThePageAfterTheLastNumberIsEmpty: it is not the first one again.
func TestThePageAfterTheLastNumberIsEmpty(t *testing.T) {
	request := &wactorv1.DeadLettersRequest{User: "1", Channel: "shop", After: math.MaxUint64}
	response, err := call[*wactorv1.DeadLettersResponse](service(letters{10, 10}, nil), "DeadLetters", request)
	if err != nil || len(response.Conversations) != 0 {
		t.Errorf("%v, %v", response, err)
	}
}

// TestATextReplacesThatOfAReplyOnly: a text for anything else is refused, and the letter stays.
func TestATextReplacesThatOfAReplyOnly(t *testing.T) {
	for _, c := range []struct {
		seq  uint64
		text string
		want connect.Code
	}{
		{1, "", 0}, {1, "sorry", connect.CodeInvalidArgument}, {2, "sorry", 0}, {2, "", 0},
		{3, "sorry", connect.CodeInvalidArgument},
		{4, "sorry", 0}, {0, "sorry", 0}, // not there: the operator says so
	} {
		request := &wactorv1.RetryRequest{User: "1", Channel: "shop", Seq: c.seq, Text: c.text}
		_, err := call[*wactorv1.RetryResponse](service(letters{10, 0, 10}, operator{}), "Retry", request)
		if (err == nil) != (c.want == 0) || err != nil && connect.CodeOf(err) != c.want {
			t.Errorf("letter %d with %q: %v", c.seq, c.text, err)
		}
	}
}
