package media

import (
	"context"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Sender returns a provider.Sender that uploads a file once more which the provider has no longer
// when a reply names it, where its content is still at hand. Then the reply is not sent in the same
// attempt: the upload takes time, in which this node may have lost the right to send.
func (u *Uploads) Sender(next provider.Sender) provider.Sender {
	return &sender{Sender: next, uploads: u}
}

type sender struct {
	provider.Sender
	uploads *Uploads
}

// Send implements provider.Sender.
func (s *sender) Send(ctx context.Context, out *provider.Outgoing) provider.Result {
	files := filesOf(out.Reply)
	if len(files) == 0 {
		return s.Sender.Send(ctx, out)
	}
	for _, m := range files {
		if brings(m) {
			return provider.Result{Outcome: provider.Refused, Reason: "refused: the file was not uploaded before"}
		}
	}
	with := *out
	with.Reply = s.uploads.current(out.Reply)
	result := s.Sender.Send(ctx, &with)
	if result.FileGone && s.uploads.renew(ctx, filesOf(with.Reply)) {
		result.Outcome, result.Reason = provider.RetryLater, "rejected: the file was gone, and is uploaded again"
	}
	return result
}

// current returns a reply whose files have the ids of today.
func (u *Uploads) current(reply *wactorv1.Reply) *wactorv1.Reply {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range filesOf(reply) {
		if u.moved[m.GetId()] != "" {
			reply = proto.CloneOf(reply)
			for _, m := range filesOf(reply) {
				if id := u.moved[m.GetId()]; id != "" {
					m.Id = id
				}
			}
			return reply
		}
	}
	return reply
}

// renew uploads files again; false where one can't be, or was before.
func (u *Uploads) renew(ctx context.Context, files []*wactorv1.Media) bool {
	for _, m := range files {
		sum := provider.ParseSHA256(m.GetSha256())
		if sum == nil || !u.mayRenew(digest(sum), m.Id) {
			return false
		}
		source := u.find(digest(sum))
		if source == nil {
			return false
		}
		if source.mimeType == "" {
			source.mimeType = typeOf(m, source.data)
		}
		id, err := u.upload(ctx, source, m.Id)
		source.close()
		if err != nil {
			return false
		}
		u.mu.Lock()
		if len(u.moved) >= maxIDs {
			clear(u.moved)
		}
		u.moved[m.Id] = id
		u.mu.Unlock()
	}
	return true
}

// mayRenew reports whether an id is one of ours that took no other one's place. One that did is
// forgotten: the next answer with this content begins anew.
func (u *Uploads) mayRenew(sum digest, id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.ids[sum]
	if one != nil && !one.pending() && one.id == id && one.renewed {
		delete(u.ids, sum)
		return false
	}
	return one != nil
}

// find returns a content that is at hand: of a moment ago, or in the folder.
func (u *Uploads) find(sum digest) *source {
	u.mu.Lock()
	data, path := u.recent.held[sum], ""
	for name, known := range u.paths {
		if known.sum == sum {
			path = name
		}
	}
	u.mu.Unlock()
	if data != nil {
		return &source{sum: sum, size: int64(len(data)), data: data}
	}
	if path == "" {
		return nil
	}
	file, err := os.OpenInRoot(u.dir, filepath.FromSlash(path))
	if err != nil {
		return nil
	}
	s := &source{file: file, mimeType: typeByName(path)}
	if u.sumOf(path, s) != nil || s.sum != sum {
		s.close()
		return nil
	}
	return s
}
