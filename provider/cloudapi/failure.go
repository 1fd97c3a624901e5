package cloudapi

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/wactor/wactor/provider"
)

// Failure is an answer of the provider that is not a 2xx.
type Failure struct {
	// Outcome is what the answer means for the message that was to be sent.
	Outcome provider.Outcome
	// HTTPStatus is the status of the answer. It only decides where there is no code: rate limits
	// have been seen with 400 and with 429.
	HTTPStatus int
	// Code and Subcode are those of the error object; 0 where there is none (0 is also a code: see
	// HasCode).
	Code, Subcode int
	// HasCode says that the answer named a code.
	HasCode bool
	// RetryAfter is the least wait before the next try by the provider's published limits; 0 where
	// none is known.
	RetryAfter time.Duration
	// Reason is a short text of outcome, cause, code and status, and the provider's own title and
	// details without what they may quote of a user. At most 500 bytes.
	Reason string
}

func (f Failure) Error() string { return "cloudapi: " + f.Reason }

// HTTP statuses that say more than their hundred (RFC 9110). They are written out since net/http is
// no package for a codec.
const (
	unauthorized      = 401
	forbidden         = 403
	notFound          = 404
	methodNotAllowed  = 405
	proxyAuthRequired = 407
	requestTimeout    = 408
	tooManyRequests   = 429
)

// Classify reads an answer that is not a 2xx. The code decides; the HTTP status decides where there
// is no code, or none that is known. What Meta flags as transient is never refused for good.
func Classify(httpStatus int, body []byte) Failure {
	answer := readError(body)
	f := Failure{HTTPStatus: httpStatus, Code: answer.code, Subcode: answer.subcode, HasCode: answer.hasCode}
	meaning, known := answer.meaning()
	if !known {
		meaning = meaningOfStatus(httpStatus, answer.hasCode)
	}
	f.Outcome, f.RetryAfter = meaning.outcome, meaning.wait
	if f.Outcome == provider.Refused && answer.transient {
		f.Outcome = provider.Unknown
	}
	if f.Reason = f.text(meaning.text); answer.words() != "" {
		f.Reason += ": " + answer.words()
	}
	return f
}

func (f Failure) text(meaning string) string {
	if !f.HasCode {
		return fmt.Sprintf("%s: %s (http %d)", f.word(), meaning, f.HTTPStatus)
	}
	if f.Subcode != 0 {
		return fmt.Sprintf("%s: %s (code %d/%d, http %d)", f.word(), meaning, f.Code, f.Subcode, f.HTTPStatus)
	}
	return fmt.Sprintf("%s: %s (code %d, http %d)", f.word(), meaning, f.Code, f.HTTPStatus)
}

// word begins a reason.
func (f Failure) word() string {
	switch f.Outcome {
	case provider.ChannelHeld:
		return "held"
	case provider.Refused:
		return "refused"
	case provider.Unknown:
		return "unknown"
	}
	return "rejected"
}

// meaningOfStatus judges an answer without a known code. Without any code it is not the Graph API
// that speaks but something on the way or at a wrong address, and then the channel is at fault, not
// the message.
func meaningOfStatus(status int, hasCode bool) meaning {
	switch {
	case status == tooManyRequests:
		return meaning{outcome: provider.ChannelLimited, text: "too many requests"}
	case status == unauthorized || status == forbidden || status == proxyAuthRequired:
		return meaning{outcome: provider.ChannelHeld, text: "not authorised"}
	case status == requestTimeout || status >= 500:
		return meaning{outcome: provider.Unknown, text: "server error"}
	case status >= 300 && status < 400:
		return meaning{outcome: provider.ChannelHeld, text: "redirected: graph_url is wrong"}
	case !hasCode && (status == notFound || status == methodNotAllowed):
		return meaning{outcome: provider.ChannelHeld, text: "no such address: graph_url or phone_number_id is wrong"}
	case status >= 400:
		return meaning{outcome: provider.Refused, text: "bad request"}
	}
	return meaning{outcome: provider.Unknown, text: "not an answer to a send"}
}

// graphError is an error object of the Graph API, as far as it can be read.
type graphError struct {
	code, subcode int
	hasCode       bool
	transient     bool
	// title and details are the provider's words as they came.
	title, details string
}

// readError never fails: half an answer is as good as the part that is there.
func readError(body []byte) (answer graphError) {
	s := scanner{data: body}
	for in := s.object("body"); s.member(&in); {
		if string(in.key) == "error" {
			answer.read(&s)
		} else {
			s.skip()
		}
	}
	return answer
}

// read reads an error object: of an answer, whose words are message and error_user_*, or of a
// webhook, whose word is title. Error_data has the details of both.
func (e *graphError) read(s *scanner) {
	for in := s.object("error"); s.member(&in); {
		switch string(in.key) {
		case "code":
			c := s.peek()
			e.code = int(s.whole())
			e.hasCode = e.code != 0 || c == '0'
		case "error_subcode":
			e.subcode = int(s.whole())
		case "is_transient":
			e.transient = s.flag("is_transient")
		case "title", "error_user_title":
			e.title = s.text("title")
		case "message":
			e.title = cmp.Or(e.title, s.text("message"))
		case "error_user_msg":
			e.details = cmp.Or(e.details, s.text("error_user_msg"))
		case "error_data":
			e.details = cmp.Or(field(s, "error_data", "details"), e.details)
		default:
			s.skip()
		}
	}
}

// words are the provider's title and details, fit for logs.
func (e *graphError) words() string {
	title, details := presentable(e.title), presentable(e.details)
	switch {
	case title == "" || strings.HasPrefix(details, title):
		return details
	case details == "" || strings.HasPrefix(title, details):
		return title
	}
	if !strings.HasSuffix(title, "...") {
		title = strings.TrimSuffix(title, ".")
	}
	return title + ": " + details
}

// personal is what the provider's words may quote of a user: phone numbers and ids, addresses, and
// ids of messages.
var personal = regexp.MustCompile(`\+?[0-9][0-9 ()./-]{5,}[0-9]|https?://\S+|\S+@\S+|wamid\.\S+`)

// quoted is a quotation, and what stands before it.
var quoted = regexp.MustCompile(`(^|[\s\[(=:,])(["'\x60\x{201c}\x{2018}])([^"'\x60\x{201d}\x{2019}]*)(["'\x60\x{201d}\x{2019}]|$)`)

// fieldName is what a quotation may hold: the name of a field of the API.
var fieldName = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// mostWords bounds a title and details, in bytes.
const mostWords = 200

// presentable makes a text of the provider's fit for logs and journals: no number of a phone, no
// quotation that may be of a user, one line, and not long. The code that begins a message is left
// out, since it is shown beside it.
func presentable(text string) string {
	if rest, found := strings.CutPrefix(text, "(#"); found {
		_, text, _ = strings.Cut(rest, ") ")
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	text = quoted.ReplaceAllStringFunc(text, func(match string) string {
		parts := quoted.FindStringSubmatch(match)
		if name := parts[3]; parts[1] == "[" && !strings.Contains(name, " ") || fieldName.MatchString(name) {
			return match
		}
		return parts[1] + "..."
	})
	text = personal.ReplaceAllString(text, "...")
	if len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords-3], "") + "..."
	}
	return text
}

// ErrNoMessageID: the answer to a send does not name the message that was made.
var ErrNoMessageID = errors.New("cloudapi: answer names no message id")

// DecodeSendResponse reads the provider's message id from the body of a 2xx answer: {"messages":
// [{"id": "wamid..."}]}. Where there is none (a proxy's page, an answer cut off) the error is
// ErrNoMessageID; the message was taken all the same.
func DecodeSendResponse(body []byte) (id string, err error) {
	s := scanner{data: body}
	for in := s.object("body"); s.member(&in); {
		if string(in.key) != "messages" {
			s.skip()
			continue
		}
		for list := s.array("messages"); s.element(&list); {
			one := field(&s, "message", "id")
			if id == "" {
				id = one
			}
		}
	}
	s.end()
	if s.err != nil || id == "" || len(id) > provider.MaxMessageID {
		return "", ErrNoMessageID
	}
	return id, nil
}
