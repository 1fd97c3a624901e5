package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// turnRequest is wactor.v1.TurnRequest in its JSON form. It is written out here, and not left to
// protojson, because state and raw pass through byte for byte: as a protobuf Struct their numbers
// would lose what is beyond 2^53.
type turnRequest struct {
	TurnID   string           `json:"turnId"`
	Attempt  int              `json:"attempt"`
	Channel  string           `json:"channel"`
	Version  uint64           `json:"version,string"`
	User     json.RawMessage  `json:"user"`
	State    json.RawMessage  `json:"state"`
	Messages []inboundMessage `json:"messages"`
	// Events came since the last turn and started none.
	Events []inboundMessage `json:"events,omitempty"`
	Timer  *timerFired      `json:"timer"`
	// History is what was said while the bot did not own the conversation; Owner tells of that
	// time, in the first turn behind it.
	History []inboundMessage `json:"history,omitempty"`
	Owner   *ownerChange     `json:"owner,omitempty"`
	// Event, in place of Timer, is what a program has posted.
	Event *postedEvent `json:"event,omitempty"`
	// WindowOpenUntil is left out where it is not known.
	WindowOpenUntil string `json:"windowOpenUntil,omitempty"`
}

type inboundMessage struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	Choice    json.RawMessage `json:"choice,omitempty"`
	Media     json.RawMessage `json:"media,omitempty"`
	Location  json.RawMessage `json:"location,omitempty"`
	ContextID string          `json:"contextId,omitempty"`
	Timestamp string          `json:"timestamp,omitempty"`
	Received  string          `json:"received,omitempty"`
	Late      bool            `json:"late"`
	Raw       json.RawMessage `json:"raw,omitempty"`
	Reply     json.RawMessage `json:"reply,omitempty"`
	// Author is who wrote it, where that is not the user.
	Author string `json:"author,omitempty"`
}

type ownerChange struct {
	Owner  string `json:"owner"`
	Since  string `json:"since,omitempty"`
	Until  string `json:"until,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

type postedEvent struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
	By   string          `json:"by"`
}

type timerFired struct {
	Name string `json:"name"`
	Due  string `json:"due,omitempty"`
}

// emptyObject is the state of a conversation that has none yet, so that a bot may read
// state.anything at once.
var emptyObject = json.RawMessage(`{}`)

// encodeTurn writes the request of a turn.
func encodeTurn(turn *conversation.Turn) ([]byte, error) {
	user, err := member(turn.User)
	if err != nil {
		return nil, err
	}
	request := turnRequest{
		TurnID: turn.ID, Attempt: turn.Attempt, Channel: turn.Conversation.Channel, Version: turn.Version,
		User: user, State: turn.State, Messages: make([]inboundMessage, len(turn.Messages)),
	}
	if len(request.State) == 0 {
		request.State = emptyObject
	}
	for i, message := range turn.Messages {
		if request.Messages[i], err = encodeMessage(message); err != nil {
			return nil, err
		}
	}
	if request.Events, err = encodeAll(turn.Events); err != nil {
		return nil, err
	}
	if request.History, err = encodeAll(turn.History); err != nil {
		return nil, err
	}
	if before := turn.Paused; before != nil {
		request.Owner = &ownerChange{Owner: "human", Since: timestamp(before.SinceMs),
			Until: timestamp(before.BackMs), By: before.By, Reason: before.Reason}
	}
	if event := turn.Timer.GetEvent(); event != nil {
		request.Event = &postedEvent{Name: event.Name, Data: rawObject(event.Data), By: event.By}
	} else if turn.Timer != nil {
		request.Timer = &timerFired{Name: turn.Timer.Name, Due: timestamp(turn.Timer.DueMs)}
	}
	if !turn.WindowUntil.IsZero() {
		request.WindowOpenUntil = timestamp(turn.WindowUntil.UnixMilli())
	}
	return marshal(request)
}

func encodeAll(messages []*wactorv1.Message) (all []inboundMessage, err error) {
	for _, message := range messages {
		encoded, err := encodeMessage(message)
		if err != nil {
			return nil, err
		}
		all = append(all, encoded)
	}
	return all, nil
}

func encodeMessage(m *wactorv1.Message) (inboundMessage, error) {
	message := inboundMessage{
		ID: m.Id, Type: m.Type, Text: m.Text, ContextID: m.ContextId,
		Timestamp: timestamp(m.SentMs), Received: timestamp(m.ReceivedMs), Late: m.Late, Raw: rawObject(m.Raw),
		Author: m.Author,
	}
	var errs [4]error
	if m.Choice != nil {
		message.Choice, errs[0] = member(m.Choice)
	}
	if m.Media != nil {
		message.Media, errs[1] = encodeMedia(m.Media)
	}
	if m.Location != nil {
		message.Location, errs[2] = member(m.Location)
	}
	if reply := (&wactorv1.Reply{}); m.Type == conversation.TypeFailed && proto.Unmarshal(m.Raw, reply) == nil {
		message.Reply, errs[3] = protojson.Marshal(reply)
	}
	return message, errors.Join(errs[:]...)
}

// member writes a nested message with all its fields, so that a bot may read user.name without
// asking whether it is there.
func member(m proto.Message) (json.RawMessage, error) {
	return protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
}

// receivedMedia is a wactor.v1.Media without what is there for replies alone.
type receivedMedia struct {
	Type     string `json:"type"`
	ID       string `json:"id"`
	URL      string `json:"url,omitempty"`
	MIMEType string `json:"mimeType"`
	SHA256   string `json:"sha256"`
	Filename string `json:"filename"`
	Caption  string `json:"caption"`
	Voice    bool   `json:"voice"`
}

func encodeMedia(m *wactorv1.Media) (json.RawMessage, error) {
	return marshal(receivedMedia{
		Type: m.GetType(), ID: m.GetId(), URL: m.GetUrl(), MIMEType: m.GetMimeType(), SHA256: m.GetSha256(),
		Filename: m.GetFilename(), Caption: m.GetCaption(), Voice: m.GetVoice(),
	})
}

// marshal writes JSON as it is, without escapes for what HTML would misread.
func marshal(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// rawObject returns what the provider sent where it is a JSON object that a bot can read, and
// nothing otherwise.
func rawObject(raw []byte) json.RawMessage {
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	if kindOf(raw) != kindObject || !json.Valid(raw) {
		return nil
	}
	return raw
}

// maxTimestampMs is the last millisecond of the year 9999, the end of what RFC 3339 and protobuf
// can say.
const maxTimestampMs = 253_402_300_799_999

// timestamp writes Unix milliseconds as RFC 3339 in UTC, with no or three digits behind the second
// as proto3 JSON has it: many a date parser knows no other number of digits. Empty where no time is
// known.
func timestamp(ms int64) string {
	switch {
	case ms <= 0 || ms > maxTimestampMs:
		return ""
	case ms%1000 == 0:
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05Z")
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}
