package conversation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

var update = flag.Bool("update", false, "rewrite the histories under testdata")

// TestHistories replays the histories under testdata: commands on lines that begin with "> ", and
// below each what the conversation did. Run with -update to rewrite them, and review the diff.
//
//	new [SETTING ...]                     a conversation; settings: newHistory
//	arrive ID [sent=SECONDS]              a gateway delivers a message (sent: relative to the start; default now)
//	tap ID PROMPT OPTION                  a gateway delivers a tap
//	type ID TYPE                          a gateway delivers a message of another type than text
//	system ID                             a gateway delivers what the provider tells about the user
//	status SEQ WORD                       a gateway delivers a status of a reply
//	commit                                the next commit is applied
//	answer [set=NAME:SECONDS] [cancel=NAME] [end] [prompt] [say=TEXT] [handoff=SECONDS]
//	                                      the bot answers, besides the text that it always says
//	defer | fail [retryable] | down       the bot can't
//	unreached                             the bot was not reached at all
//	send taken|rejected|refused|held|unknown [code=N]
//	send paced                            it was not tried: the channel has to wait for a second
//	retry LETTER [TEXT] | skip LETTER     an operator takes a dead letter up, or drops it
//	pause [by=NAME] [until=SECONDS] [take] a person takes the conversation
//	resume [HELD]                         a person gives it back
//	post KEY TEXT | event KEY NAME        a program writes to the user, or tells the bot something
//	echo ID                               a person writes on the business's phone
//	wait SECONDS                          time goes on, and the alarm rings
//	stop                                  a graceful stop begins
//	crash                                 the memory is lost, commits that are not applied too
//	journal                               prints what is kept
func TestHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no histories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("history differs (-file +now):\n%s", diff)
			}
		})
	}
}

func replay(text string) string {
	var out strings.Builder
	var w *world
	for line := range strings.Lines(text) {
		command, isCommand := strings.CutPrefix(line, "> ")
		if !isCommand {
			if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
				out.WriteString(line)
			}
			continue
		}
		out.WriteString(line)
		fields := strings.Fields(command)
		if fields[0] == "new" {
			w = newHistory(fields[1:])
			continue
		}
		if fields[0] == "journal" {
			for _, e := range w.journal() {
				fmt.Fprintf(&out, "  %s\n", describeEntry(w, e))
			}
			continue
		}
		w.run(fields)
		for len(w.pending) > 0 {
			fmt.Fprintf(&out, "  %s\n", w.describe(w.pending[0]))
			w.performOne()
		}
	}
	return out.String()
}

func newHistory(words []string) *world {
	cfg := Config{Node: "n1", Retry: policy.Retry{MaxAttempts: 3}}
	silent, resets := false, false
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		seconds := time.Duration(n) * time.Second
		switch key {
		case "inline":
			cfg.Inline = true
		case "unreachable":
			cfg.Retry.Unreachable = seconds
		case "receives":
			cfg.Receives = policy.DefaultReceives
			if value != "" {
				cfg.Receives = append(slices.Clone(cfg.Receives), value)
			}
		case "park":
			cfg.InDoubt.Then = policy.Park
		case "silent":
			silent = true
		case "attempts":
			cfg.Retry.MaxAttempts = n
		case "inbox":
			cfg.Limits.Inbox = n
		case "sorry":
			cfg.OnFailure.Reply = "sorry"
		case "merge":
			cfg.Burst.Policy = policy.Merge
		case "interrupt":
			cfg.Burst.Policy = policy.Interrupt
		case "reject":
			cfg.Burst.Policy, cfg.Burst.Notice = policy.Reject, "one moment"
		case "quiet":
			cfg.Burst.Quiet = seconds
		case "max_wait":
			cfg.Burst.MaxWait = seconds
		case "max_messages":
			cfg.Burst.MaxMessages = n
		case "flush":
			cfg.Burst.Flush = []string{value}
		case "hold":
			cfg.Order.Hold = seconds
		case "drop_late":
			cfg.Order.Late = policy.Drop
		case "debounce":
			cfg.Taps.Debounce = seconds
		case "stale":
			cfg.Taps.Stale = map[string]policy.Stale{"ignore": policy.Ignore, "answer": policy.Answer}[value]
			cfg.Taps.StaleReply = "too late"
		case "idle":
			cfg.Session.Idle, resets = seconds, true
		case "session_turn":
			cfg.Session.Turn = true
		case "loop":
			cfg.LoopGuard = policy.LoopGuard{Repeats: n, Window: time.Minute}
		case "pair":
			cfg.Sending.PairBurst, cfg.Sending.PairEvery = n, 6*time.Second
		case "await":
			_ = cfg.Sending.Await.UnmarshalText([]byte(value))
		case "window":
			cfg.Sending.Window = seconds
		case "phone":
			cfg.Handoff.OnEcho = seconds
		case "max_held":
			cfg.Handoff.Hold = n
		default:
			panic("unknown setting " + word)
		}
	}
	w := newWorld(cfg)
	w.silent, w.resets, w.pending = silent, resets, nil
	return w
}

// historyAnswer makes an answer of the words of its command.
func historyAnswer(w *world, words []string) *Answer {
	answer := &Answer{}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "set":
			name, after, _ := strings.Cut(value, ":")
			seconds, _ := strconv.Atoi(after)
			answer.Timers = append(answer.Timers, SetTimer{Name: name, After: time.Duration(seconds) * time.Second})
		case "cancel":
			answer.CancelTimers = append(answer.CancelTimers, value)
		case "end":
			answer.End, w.resets = true, true
		case "handoff":
			seconds, _ := strconv.Atoi(value)
			answer.Handoff = &Handoff{Note: "wants a person", UntilMs: w.nowMs + int64(seconds)*1000}
		case "say":
			answer.Replies = append(answer.Replies, text(value))
		case "prompt":
			answer.Replies = append(answer.Replies,
				&wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{Body: "?"}}})
		default:
			panic("unknown word " + word)
		}
	}
	return answer
}

const historyStartMs = 1_700_000_000_000

func (w *world) run(fields []string) {
	switch args := fields[1:]; fields[0] {
	case "arrive":
		sent := w.nowMs
		if len(args) > 1 {
			seconds, _ := strconv.ParseFloat(strings.TrimPrefix(args[1], "sent="), 64)
			sent = historyStartMs + int64(seconds*1000)
		}
		w.deliver(args[0], sent)
	case "status":
		seq, _ := strconv.ParseUint(args[0], 10, 64)
		e := StatusArrived{ReplyID: replyID(w.c.ledger.head.CreatedMs, seq, w.id.User), Status: args[1],
			ProviderID: fmt.Sprintf("wamid.r%d", seq)}
		for _, arg := range args[2:] {
			e.WindowClosed = e.WindowClosed || arg == "closed"
			if code, ok := strings.CutPrefix(arg, "code="); ok {
				e.Code, _ = strconv.Atoi(code)
				e.Reason = "what the provider says"
			}
		}
		w.statusArrived(e)
	case "commit":
		if len(w.proposed) == 0 {
			panic("no commit is under way")
		}
		w.apply()
		w.step(Committed{Revision: w.revision})
	case "type":
		w.deliverMessage(&wactorv1.Message{Id: args[0], Type: args[1], SentMs: w.nowMs})
	case "system":
		w.deliverMessage(&wactorv1.Message{Id: args[0], Type: typeSystem, SentMs: w.nowMs})
	case "tap":
		w.tap(args[0], args[1], args[2])
	case "answer":
		w.answerWith(historyAnswer(w, args))
	case "retry":
		seq, _ := strconv.ParseUint(args[0], 10, 64)
		event := Retried{Letter: w.letter(seq)}
		if len(args) > 1 {
			event.Text = args[1]
		}
		w.nextRef++
		event.Ref = w.nextRef
		w.refs[event.Ref] = "operator"
		w.step(event)
	case "skip":
		seq, _ := strconv.ParseUint(args[0], 10, 64)
		w.nextRef++
		w.refs[w.nextRef] = "operator"
		w.step(Skipped{Ref: w.nextRef, Letter: w.letter(seq)})
	case "pause":
		event := Paused{By: "ana"}
		for _, word := range args {
			key, value, _ := strings.Cut(word, "=")
			switch seconds, _ := strconv.Atoi(value); key {
			case "by":
				event.By = value
			case "until":
				event.UntilMs = w.nowMs + int64(seconds)*1000
			case "take":
				event.Take = true
			}
		}
		event.Ref = w.ref("pause")
		w.step(event)
	case "resume":
		event := Resumed{By: "ana", Ref: w.ref("resume")}
		if len(args) > 0 {
			event.Held = new(policy.Held)
			if err := event.Held.UnmarshalText([]byte(args[0])); err != nil {
				panic(err)
			}
		}
		w.step(event)
	case "echo":
		w.echo(args[0])
	case "post":
		w.postAs(args[0], text(args[1]), nil)
	case "event":
		w.postAs(args[0], nil, &wactorv1.Event{Name: args[1], By: "shop"})
	case "down":
		turn := w.call.Turn
		w.call = nil
		w.step(Failed{Turn: turn, Retryable: true, NotCalled: true, RetryAfter: 10 * time.Second})
	case "unreached":
		turn := w.call.Turn
		w.call = nil
		w.step(Failed{Turn: turn, Retryable: true, NotReached: true, Reason: "connection refused"})
	case "defer":
		turn := w.call.Turn
		w.call = nil
		w.step(Deferred{Turn: turn})
	case "fail":
		turn := w.call.Turn
		w.call = nil
		w.step(Failed{Turn: turn, Retryable: len(args) > 0, Reason: "status 503"})
	case "send":
		w.sendDone(historyResult(w.inFlight.Seq, args))
	case "wait":
		seconds, _ := strconv.ParseInt(args[0], 10, 64)
		w.nowMs += seconds * 1000
		w.tick()
	case "stop":
		w.step(Stopping{})
	case "crash":
		w.crash(0)
	default:
		panic("unknown command " + fields[0])
	}
}

func historyResult(seq uint64, args []string) provider.Result {
	outcomes := map[string]provider.Outcome{
		"taken": provider.Sent, "rejected": provider.RetryLater, "limited": provider.PairLimited,
		"refused": provider.Refused, "held": provider.ChannelHeld, "unknown": provider.Unknown,
	}
	result := provider.Result{Outcome: outcomes[args[0]], Reason: args[0]}
	if result.Outcome == provider.Sent {
		result.ProviderID, result.Reason = fmt.Sprintf("wamid.r%d", seq), ""
	}
	if args[0] == "paced" {
		result = provider.Result{Outcome: provider.RetryLater, NotTried: true, RetryAfter: time.Second}
	}
	return result
}

func (w *world) describe(effect Effect) string {
	switch e := effect.(type) {
	case Commit:
		var parts []string
		for _, put := range e.Command.Puts {
			parts = append(parts, "+"+recordName(put.Kind, put.Suffix))
		}
		for _, key := range e.Command.Deletes {
			parts = append(parts, "-"+recordName(key.Kind, key.Suffix))
		}
		lazily := ""
		if e.Lazy {
			lazily = " lazily"
		}
		return fmt.Sprintf("commit %d%s: %s", e.Revision, lazily, strings.Join(parts, " "))
	case Respond:
		return fmt.Sprintf("respond %s: %s", w.refs[e.Ref], e.Verdict)
	case CallBot:
		how := "call"
		if e.Inline {
			how = "call inline"
		}
		about := "timer " + timerName(e.Turn.Timer)
		if len(e.Turn.Messages) > 0 {
			about = "message " + ids(e.Turn.Messages)
		}
		if len(e.Turn.Events) > 0 {
			about += " events " + ids(e.Turn.Events)
		}
		if len(e.Turn.History) > 0 {
			about += " history " + ids(e.Turn.History)
		}
		if e.Turn.Paused != nil {
			about += " after " + e.Turn.Paused.By
		}
		return fmt.Sprintf("%s bot: turn %s version %d attempt %d %s late=%v", how, e.Turn.ID[:4], e.Turn.Version,
			e.Turn.Attempt, about, e.Turn.late())
	case CancelBot:
		return "cancel bot: turn " + e.Turn.ID[:4]
	case Send:
		said := e.Outgoing.Reply.GetText()
		if hasOptions(e.Outgoing.Reply) {
			said = "(prompt)"
		}
		return fmt.Sprintf("send reply %d try %d: %q", e.Seq, e.Try, said)
	case Alarm:
		if e.AtMs == 0 {
			return "alarm off"
		}
		return fmt.Sprintf("alarm in %v", time.Duration(e.AtMs-w.nowMs)*time.Millisecond)
	}
	return fmt.Sprintf("%T", effect)
}

func ids(messages []*wactorv1.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Id)
	}
	return strings.Join(out, " ")
}

func recordName(kind wactorv1.RecordKind, suffix []byte) string {
	name := strings.ToLower(strings.TrimPrefix(kind.String(), "RECORD_KIND_"))
	switch {
	case kind == wactorv1.RecordKind_RECORD_KIND_SEEN:
		return name + "/" + strings.ReplaceAll(string(suffix[4:]), "\x00", "|")
	case kind == wactorv1.RecordKind_RECORD_KIND_TIMER:
		return name + "/" + readableName(suffix)
	case kind == wactorv1.RecordKind_RECORD_KIND_DUE:
		return name + "/" + readableName(suffix[8:])
	case len(suffix) == 8:
		return fmt.Sprintf("%s/%d", name, suffix[7])
	}
	return name
}

func readableName(suffix []byte) string {
	return strings.ReplaceAll(strings.TrimPrefix(string(suffix), "\x00"), "\x00", "|")
}

func describeEntry(w *world, e *wactorv1.JournalEntry) string {
	parts := []string{fmt.Sprintf("%6dms %s", e.AtMs-historyStartMs, strings.ToLower(strings.TrimPrefix(e.Kind.String(),
		"JOURNAL_KIND_")))}
	add := func(name string, value any, set bool) {
		if set {
			parts = append(parts, fmt.Sprintf("%s=%v", name, value))
		}
	}
	add("message", e.MessageId, e.MessageId != "")
	add("seq", e.MessageSeq, e.MessageSeq != 0)
	add("messages", e.MessageSeqs, len(e.MessageSeqs) > 0)
	add("timer", e.Timer, e.Timer != "")
	add("version", e.VersionAfter, e.VersionAfter != 0)
	add("attempt", e.Attempt, e.Attempt != 0)
	add("reply", e.ReplySeq, e.ReplySeq != 0)
	add("status", e.Status, e.Status != "")
	add("late", e.Late, e.Late)
	add("resolved", e.Doubt, e.Doubt != "")
	add("by", e.By, e.By != "")
	add("reason", strconv.Quote(e.Reason), e.Reason != "")
	return strings.Join(parts, " ")
}
