package admin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
)

// eachShard makes a page of an operation that looks at all shards. more asks the leader of a shard
// for what follows a token, and returns the token after that; enough says that the page is full. A
// page also ends after pageWithin. It returns the token of the next page, empty behind the last.
func (s *Service) eachShard(token string, more func(shard uint32, token string) (string, error),
	enough func() bool) (next string, err error) {
	shard, _, err := s.parsePageToken(token)
	if err != nil {
		return "", connect.NewError(connect.CodeInvalidArgument, err)
	}
	if token == "" {
		token = pageToken(shard, "")
	}
	for began := time.Now(); ; {
		if token, err = more(shard, token); err != nil {
			return "", err
		}
		if token == "" {
			if shard++; shard > s.options.Shards {
				return "", nil
			}
			token = pageToken(shard, "")
		}
		if enough() || time.Since(began) > pageWithin {
			return token, nil
		}
	}
}

// A page token is the shard, and the conversation behind which the page begins.
func pageToken(shard uint32, behind string) string { return fmt.Sprintf("%d:%s", shard, behind) }

func (s *Service) parsePageToken(token string) (shard uint32, behind string, err error) {
	if token == "" {
		return 1, "", nil
	}
	number, behind, found := strings.Cut(token, ":")
	n, err := strconv.ParseUint(number, 10, 32)
	if !found || err != nil || n < 1 || n > uint64(s.options.Shards) {
		return 0, "", errors.New("invalid page_token: it is none that a page had")
	}
	return uint32(n), behind, nil
}

// gather asks the leaders of the shards for conversations of a channel, of all where it is empty,
// until there are enough for a page.
func gather[T any](s *Service, channel, pageToken string,
	ask func(shard uint32, token string) (found []T, next string, err error)) (all []T, next string, err error) {
	if channel != "" && !hasChannel(s, channel) {
		return nil, "", connect.NewError(connect.CodeNotFound, errors.New("no such channel"))
	}
	next, err = s.eachShard(pageToken, func(shard uint32, token string) (string, error) {
		found, next, err := ask(shard, token)
		if err != nil {
			return "", readError(err)
		}
		all = append(all, found...)
		return next, nil
	}, func() bool { return len(all) >= pageConversations })
	return all, next, err
}
