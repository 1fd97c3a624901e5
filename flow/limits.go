package flow

import (
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/flow/value"
)

// Limits of WhatsApp's messages, in characters (code points) unless said otherwise: what a flow can
// break of the limits that package cloudapi states with their pages. They are repeated here because
// siblings of a layer do not import each other; a test of package bot, which sees both, holds them
// equal.
const (
	// MaxText bounds a text message (messages/text-messages).
	MaxText = 4096
	// MaxButtons, MaxButtonID, MaxButtonTitle and MaxButtonsBody bound buttons
	// (messages/interactive-reply-buttons-messages).
	MaxButtons     = 3
	MaxButtonID    = 256
	MaxButtonTitle = 20
	MaxButtonsBody = 1024
	// MaxRows, MaxRowID, MaxRowTitle, MaxRowDescription, MaxSectionTitle, MaxListButton and
	// MaxListBody bound lists; rows are counted over all sections
	// (messages/interactive-list-messages).
	MaxRows           = 10
	MaxRowID          = 200
	MaxRowTitle       = 24
	MaxRowDescription = 72
	MaxSectionTitle   = 24
	MaxListButton     = 20
	MaxListBody       = 4096
	// MaxCTATitle and MaxCTABody bound a call to action (messages/interactive-cta-url-messages).
	MaxCTATitle = 20
	MaxCTABody  = 1024
	// MaxLocationRequestBody bounds a location request
	// (guides/send-messages/location-request-messages).
	MaxLocationRequestBody = 1024
	// MaxHeaderText, MaxFooter and MaxCaption bound what stands around a body, and below a file
	// (reference/messages).
	MaxHeaderText = 60
	MaxFooter     = 60
	MaxCaption    = 1024
)

// Limits of a flow.
const (
	// MaxSource is how large a flow may be, in bytes.
	MaxSource = 256 << 10
	// MaxDepth is how deep a flow's YAML may be nested, as any value of a conversation.
	MaxDepth = value.MaxDepth
	// MaxExpression is how long an expression may be, in bytes; maxNodes bounds its syntax tree.
	MaxExpression = 4096
	maxNodes      = 1000
	// maxNested bounds predicates inside predicates (filter in map in ...): each level multiplies
	// the work.
	maxNested = 2
	// maxRange bounds a range written as two numbers. The compiler makes a constant of it, past the
	// memory budget.
	maxRange = 10_000
	// memoryBudget bounds what one run of an expression builds: elements, and bytes of repeated
	// texts.
	memoryBudget = 256 << 10
	// MaxOptions is how many options a choice may have; past WhatsApp's ten rows they are a
	// numbered text.
	MaxOptions = 50
	// MaxName is how long the name of a step or a variable may be.
	MaxName = 64
)

// Limits of a turn. Past one of them Step fails.
const (
	// MaxStepsPerTurn is how many steps may run between two stops.
	MaxStepsPerTurn = 100
	// MaxCallsPerTurn is how many services may be called between two stops.
	MaxCallsPerTurn = 10
	// MaxReplies is how many messages one turn may send; the limit of package conversation.
	MaxReplies = 20
	// MaxState is how large the state may be, in bytes of JSON; the limit of package conversation.
	MaxState = value.MaxBytes
)

// fit shortens what WhatsApp would refuse to show: titles, headers, footers and captions are cut,
// with an ellipsis. To fail instead would leave a user without an answer because of, say, a long
// product name.
func fit(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)
	return strings.TrimRight(string(runes[:limit-1]), " \n") + "…"
}

// split cuts a long text into messages of at most limit characters: at the last paragraph, line or
// word that fits. Nothing of it is lost but the white space at the cuts.
func split(text string, limit int) []string {
	var parts []string
	for utf8.RuneCountInString(text) > limit {
		window := prefix(text, limit)
		cut := len(window)
		for _, separator := range []string{"\n\n", "\n", " "} {
			// A cut in the first half would make more messages than a reader wants.
			if at := strings.LastIndex(window, separator); at > len(window)/2 {
				cut = at
				break
			}
		}
		if part := strings.TrimSpace(text[:cut]); part != "" {
			parts = append(parts, part)
		}
		text = strings.TrimLeft(text[cut:], " \n")
	}
	if strings.TrimSpace(text) == "" && len(parts) > 0 {
		return parts
	}
	return append(parts, text)
}

// prefix returns the first n characters.
func prefix(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
