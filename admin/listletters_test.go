package admin

import (
	"fmt"
	"slices"
	"sort"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// registry is a store of conversations, by shard and name, with so many dead letters each.
type registry map[uint32]map[string]int

func (registry) Load(uint32, string, func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	return 0, nil
}

func (r registry) Scan(shard uint32, name string, kind wactorv1.RecordKind, each func(suffix,
	value []byte) error) error {
	if kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
		value, err := proto.Marshal(&wactorv1.Head{DeadLetters: uint64(r[shard][name]), SeenGenerations: []uint32{6,
			7}})
		if err != nil {
			return err
		}
		return each(nil, value)
	}
	for i := range r[shard][name] {
		value, err := proto.Marshal(&wactorv1.DeadLetter{Seq: uint64(i + 1), AtMs: int64(i + 7),
			Reason: fmt.Sprint("reason ", i)})
		if err != nil {
			return err
		}
		if err := each(nil, value); err != nil {
			return err
		}
	}
	return nil
}

func (r registry) ScanFrom(shard uint32, name string, kind wactorv1.RecordKind, _ []byte, each func(suffix,
	value []byte) error) error {
	return r.Scan(shard, name, kind, each)
}

func (registry) SeenValue(uint32, string, uint32, string) ([]byte, error) { return nil, nil }

func (registry) Paused(uint32, string, func(string, []byte) error) error { return nil }

// Seen knows a message "wamid." and the user of each conversation, in generation 7.
func (r registry) Seen(_ uint32, name string, generation uint32, message string) (bool, error) {
	return generation == 7 && "wamid."+name == message, nil
}

func (r registry) Conversations(shard uint32, behind string, each func(string, bool) error) error {
	var names []string
	for name := range r[shard] {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if name <= behind {
			continue
		}
		if err := each(name, r[shard][name] > 0); err != nil {
			return err
		}
	}
	return nil
}

// TestDeadLettersAreListed: every conversation with dead letters is named once, page by page, over
// all shards.
func TestDeadLettersAreListed(t *testing.T) {
	stored := registry{1: {}, 2: {}, 4: {"shop/last": 1}}
	var want []string
	for shard := range uint32(2) {
		for i := range 250 {
			stored[shard+1][fmt.Sprintf("shop/%d%03d", shard, i)] = i % 2
			if i%2 == 1 {
				want = append(want, fmt.Sprintf("shop/%d%03d 1", shard, i))
			}
		}
	}
	stored[2]["bank/?"] = 1000
	want = append(want, "bank/? 1000", "shop/last 1")
	s := service(stored, nil)
	list := func(channel string) (got []string, pages int) {
		request := &wactorv1.ListDeadLettersRequest{Channel: channel}
		for {
			response, err := call[*wactorv1.ListDeadLettersResponse](s, "ListDeadLetters", request)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range response.Conversations {
				if c.FirstMs != 7 || c.Reason != "reason 0" {
					t.Errorf("%v", c)
				}
				got = append(got, fmt.Sprintf("%s/%s %d", c.Channel, c.User, c.Letters))
			}
			if pages++; response.NextPageToken == "" {
				slices.Sort(got)
				return got, pages
			}
			request.PageToken = response.NextPageToken
		}
	}
	slices.Sort(want)
	if got, pages := list(""); !slices.Equal(got, want) || pages < 3 {
		t.Errorf("%d conversations on %d pages, want %d", len(got), pages, len(want))
	}
	if got, _ := list("bank"); len(got) != 1 {
		t.Errorf("of one channel: %q", got)
	}
	for _, token := range []string{"1", "0:", "5:", "x:shop/1", ":"} {
		_, err := call[*wactorv1.ListDeadLettersResponse](s, "ListDeadLetters",
			&wactorv1.ListDeadLettersRequest{PageToken: token})
		if connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("page token %q: %v", token, err)
		}
	}
	_, err := call[*wactorv1.ListDeadLettersResponse](s, "ListDeadLetters",
		&wactorv1.ListDeadLettersRequest{Channel: "nowhere"})
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("an unknown channel: %v", err)
	}
}
