//go:build linux

package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
	"github.com/wactor/wactor/simulate"
)

// A load is a run of `wactor simulate` against the balancer: users who write in pairs, webhooks
// that come twice, messages in the wrong order, users who write under their phone, their BSUID or
// both.
type load struct {
	duration time.Duration
	begun    time.Time
	people   people
	process  *process
	report   bytes.Buffer
	problems bytes.Buffer
}

// manyUsers are so many that a second's webhooks are of a part of them: a user whose webhook is not
// answered writes nothing more, and a shard whose users all wait looks as if no user were served.
const manyUsers = 1000

// firstUser is the phone number of the first user.
const firstUser = 4915100000001

// plenty is how long a load lasts that its test ends, as soon as it has seen what it waits for.
const plenty = 10 * time.Minute

// startLoad starts a load that lasts so long, or until it is checked, and returns when webhooks are
// accepted.
func startLoad(t *testing.T, b *balancer, r *rounds, duration time.Duration) *load {
	t.Helper()
	l := &load{duration: duration, people: r.people}
	command := exec.Command(binary(), append([]string{"simulate", "--json", "--url", b.url(l.people.channel),
		"--app-secret", appSecret,
		"--access-token", "token", "--graph", loadAddress + ":9090", "--users", strconv.Itoa(manyUsers), "--first-user",
		strconv.Itoa(l.people.first),
		"--duration", duration.String(), "--duplicates", "20", "--statuses", "sent,delivered", "--give-up", "2m",
		"--settle", "30s",
		"--allow-resent", "--seed", strconv.FormatUint(r.seed, 10)}, l.people.flags...)...)
	command.Stdout, command.Stderr = &l.report, &l.problems
	l.begun = time.Now()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	l.process = &process{command: command, ended: make(chan struct{})}
	go func() {
		l.process.err = command.Wait()
		close(l.process.ended)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-l.process.ended
	})
	for begin := time.Now(); b.answers()[http.StatusOK] == 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("no webhook was accepted")
		}
	}
	return l
}

// mustLast fails the test where the load has ended before it should: a fault without load proves
// nothing.
func (l *load) mustLast(t *testing.T) {
	t.Helper()
	if left := l.duration - time.Since(l.begun); left < 0 {
		t.Errorf("the load has ended %v ago: this machine is too slow for the rounds", -left.Round(time.Millisecond))
	}
}

// end ends the load, or waits for its end, and returns its report.
func (l *load) end(t *testing.T) *simulate.Report {
	t.Helper()
	_ = l.process.command.Process.Signal(os.Interrupt) // it may have ended by itself
	const longest = 3 * time.Minute                    // that the load waits for answers and replies after its end
	select {
	case <-l.process.ended:
	case <-time.After(min(l.duration, time.Minute) + patience(longest)):
		t.Fatal("the load does not end")
	}
	report := &simulate.Report{}
	if err := json.Unmarshal(l.report.Bytes(), report); err != nil {
		t.Fatalf("simulate: %v\n%s", l.process.err, l.problems.Bytes())
	}
	return report
}

// check ends the load and checks its report against what the nodes have noted: that nothing was
// lost, doubled, raced, out of order or skipped, that each message ran once, and that no reply came
// twice but those that were in doubt.
func (l *load) check(t *testing.T, c *cluster) {
	t.Helper()
	report := l.end(t)
	t.Logf("%d messages, %d accepted, %d replied, %.0f a second; accepted in %s ms; posts %v", report.Messages,
		report.Accepted, report.Replied,
		report.PerSecond, percentiles(report.Accept), report.Posts)
	t.Logf("lost %d, doubled %d, raced %d, out of order %d, skipped %d, stray %d, resent %d", report.Lost,
		report.Doubled, report.Raced,
		report.OutOfOrder, report.Skipped, report.Stray, report.Resent)
	if report.Violations > 0 || report.Accepted != report.Messages {
		t.Errorf("%d violations, %d of %d accepted; users %v", report.Violations, report.Accepted, report.Messages,
			report.Suspects)
	}
	a := c.audit(t, l.people)
	t.Logf("%d turns, %d replies in doubt, %d sent again, %d taken twice", a.turns, a.inDoubt, a.resent, report.Resent)
	if a.turns != report.Accepted && !l.people.merged || a.turns != report.Replies {
		t.Errorf("%d turns of %d messages, %d replies", a.turns, report.Accepted, report.Replies)
	}
	if report.Resent > a.resent || a.resent > a.inDoubt {
		t.Errorf("%d replies came twice, %d were sent again, %d were in doubt", report.Resent, a.resent, a.inDoubt)
	}
}

func percentiles(p simulate.Percentiles) string {
	text, _ := json.Marshal(p) // numbers alone
	return string(text)
}

// audit is what the conversations have noted.
type audit struct{ turns, inDoubt, resent int }

// audit reads the timelines of all users from any node.
func (c *cluster) audit(t *testing.T, of people) audit {
	t.Helper()
	var sum audit
	for user := range manyUsers {
		number := of.prefix + strconv.Itoa(of.first+user)
		for _, conversation := range c.trace(t, number, of.channel) {
			if len(conversation.Violations) > 0 || conversation.DeadLetters > 0 {
				t.Errorf("user %s: %d dead letters, %v", number, conversation.DeadLetters, conversation.Violations)
			}
			sum.turns += int(conversation.Version)
			for _, e := range conversation.Entries {
				switch e.Kind {
				case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
					sum.inDoubt++
				case wactorv1.JournalKind_JOURNAL_KIND_RESENT:
					sum.resent++
				}
			}
		}
	}
	return sum
}

// trace reads a user's timeline on a channel from the first node that answers.
func (c *cluster) trace(t *testing.T, user, channel string) []*wactorv1.ConversationTrace {
	t.Helper()
	var problems []error
	for _, m := range c.members {
		if !m.running() {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		request := connect.NewRequest(&wactorv1.TraceRequest{User: user, Channel: channel})
		request.Header().Set("Authorization", "Bearer "+adminToken)
		response, err := wactorv1connect.NewAdminServiceClient(http.DefaultClient, "http://"+m.admin()).Trace(ctx,
			request)
		cancel()
		if err == nil {
			return response.Msg.Conversations
		}
		problems = append(problems, fmt.Errorf("%s: %w", m.name, err))
	}
	t.Fatalf("no node tells the timeline of user %s: %v", user, problems)
	return nil
}
