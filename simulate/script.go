package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// ref names a message: the k-th, from 0, that a user sends. In Swaps it is not the k-th that is
// posted.
type ref struct{ user, k int }

// post is one webhook.
type post struct {
	messages []ref
	// again says that the same webhook is posted a second time: at once, or (later) when the first
	// was answered.
	again, later bool
	// swapped says that the messages were sent before those that were posted before them.
	swapped bool
	// after is how long after the one before it is posted.
	after time.Duration
	// media says that the messages are images.
	media bool
	// tap counts the taps of one user on one option from 1; 0 where the message is a text.
	tap int
}

// script tells what a group of users posts, step after step: the posts of a step are made at once.
// The group is one user, or several in the pattern Batches. The same seed gives the same script.
type script struct {
	load   *Load
	users  []int
	random *rand.Rand
	next   int // the k that comes next
	held   int // the k that was overtaken and comes now; -1 where none was
}

// batchUsers is how many users share a webhook in the pattern Batches.
const batchUsers = 10

// groups is how many scripts there are.
func (l *Load) groups() int {
	if l.Pattern == Batches {
		return (l.Users + batchUsers - 1) / batchUsers
	}
	return l.Users
}

func (l *Load) script(group int) *script {
	s := &script{load: l, users: []int{group}, random: rand.New(rand.NewPCG(l.Seed, uint64(group))), held: -1}
	if l.Pattern == Batches {
		s.users = nil
		for user := group * batchUsers; user < min((group+1)*batchUsers, l.Users); user++ {
			s.users = append(s.users, user)
		}
	}
	return s
}

// step returns the next posts; none where the script has ended.
func (s *script) step() []post {
	size := 1
	switch s.load.Pattern {
	case Burst:
		size = s.load.Messages
	case Pairs:
		size = 2
	}
	if s.load.Pattern == Taps {
		return s.taps()
	}
	posts := make([]post, 0, size)
	for len(posts) < size && s.more() {
		k, swapped := s.draw()
		p := post{
			messages: make([]ref, len(s.users)), swapped: swapped, again: s.chance(s.load.Duplicates),
			media: s.chance(s.load.Media),
		}
		for i, user := range s.users {
			p.messages[i] = ref{user, k}
		}
		p.later = p.again && s.chance(50)
		if gap := s.load.Gap; gap > 0 && len(posts) > 0 {
			p.after = gap/2 + time.Duration(s.random.Int64N(int64(gap)))
		}
		posts = append(posts, p)
	}
	return posts
}

// tapsAtOnce is how often a user taps an option.
const tapsAtOnce = 5

// taps returns the taps of one user on one option: messages of their own, of which the bot may take
// one.
func (s *script) taps() []post {
	if !s.more() {
		return nil
	}
	k, _ := s.draw()
	posts := make([]post, tapsAtOnce)
	for i := range posts {
		posts[i] = post{messages: []ref{{s.users[0], k}}, tap: i + 1, again: s.chance(s.load.Duplicates)}
	}
	return posts
}

func (s *script) limit() int {
	if s.load.Duration > 0 {
		return math.MaxInt32 // until the time is over
	}
	return s.load.Messages
}

func (s *script) more() bool { return s.held >= 0 || s.next < s.limit() }

// draw returns the next message, or lets the one behind it go first.
func (s *script) draw() (k int, swapped bool) {
	if s.held >= 0 {
		k, s.held = s.held, -1
		return k, true
	}
	k = s.next
	s.next++
	if s.next < s.limit() && s.chance(s.load.Swaps) {
		s.held = k
		k = s.next
		s.next++
	}
	return k, false
}

func (s *script) chance(percent int) bool { return percent > 0 && s.random.IntN(100) < percent }
