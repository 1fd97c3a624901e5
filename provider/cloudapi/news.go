package cloudapi

import (
	"strconv"

	"github.com/wactor/wactor/provider"
)

// A webhook holds more than messages: of the account, of its templates, of the quality of a
// number. Each kind of news has a row here that says how loud it is and what to do.
//
// Sources: Meta, "Webhooks", the reference pages of each field.

// fieldUnknown is the Change.Field of a webhook field that this package does not know.
const fieldUnknown = "unknown"

// fieldErrors is the Change.Field of errors that belong to no message.
const fieldErrors = "errors"

// silent are fields that need no line: they are of threads that another program answers, copies of
// what the business wrote itself, or of products that Wactor has no part in.
var silent = words(fieldMessages, fieldUserIDUpdate, "standby", "messaging_handovers", "smb_message_echoes",
	"smb_app_state_sync", "history", "calls", "user_preferences", "automatic_events", "tracking_events", "flows",
	"group_lifecycle_update", "group_participants_update", "group_settings_update", "group_status_update",
	"account_settings_update", "partner_solutions", "payment_configuration_update",
	"template_correct_category_detection",
	"message_echoes")

// story is what the value of one change says. Words are the provider's own: capitals, digits and
// underscores, never the text of a person.
type story struct {
	event, reason, quality, category, decision, severity, template string
	code                                                           int
	title                                                          string
}

// newsOf says what a change means.
func newsOf(c *change) provider.Change {
	if !isEmpty(c.errors) {
		s := readStory(c.errors)
		news := provider.Change{Field: fieldErrors, Level: provider.Warning, Code: s.code,
			News:   "WhatsApp reports an error that belongs to no message: " + orUnnamed(s.title),
			Remedy: remedyOf(s.code)}
		if codes[s.code].outcome == provider.ChannelHeld && s.code != 0 {
			news.Level = provider.Alarm
		}
		return news
	}
	tell, known := tellers[c.field]
	if known {
		news := tell(readStory(c.content))
		news.Field = c.field
		return news
	}
	if field, is := silent[c.field]; is {
		return provider.Change{Field: field}
	}
	return provider.Change{Field: fieldUnknown, Level: provider.Note,
		News:   "a webhook of the field " + strconv.Quote(wordOf(c.field)) + " was acknowledged and not read",
		Remedy: "unsubscribe from the field in Meta's console, unless another program needs it"}
}

// tellers has the fields that an operator should know of.
var tellers = map[string]func(story) provider.Change{
	"account_update":                  accountNews,
	"account_alerts":                  alertNews,
	"account_review_update":           reviewNews,
	"business_capability_update":      capabilityNews,
	"message_template_status_update":  templateNews,
	"message_template_quality_update": qualityNews,
	"message_template_components_update": func(story) provider.Change {
		return provider.Change{Level: provider.Note, News: "a message template was edited"}
	},
	"template_category_update":    categoryNews,
	"phone_number_quality_update": numberNews,
	"phone_number_name_update":    nameNews,
	"security":                    securityNews,
}

func accountNews(s story) provider.Change {
	news := provider.Change{News: "WhatsApp changed the account: " + s.words(),
		Remedy: "look at the account's quality page in WhatsApp Manager; an appeal is made there"}
	switch s.event {
	case "DISABLED_UPDATE":
		news.Level = provider.Alarm
		if s.reason == "REINSTATE" {
			news.Level = provider.Note
		}
	case "ACCOUNT_DELETED", "ACCOUNT_RESTRICTION", "ACCOUNT_OFFBOARDED", "PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED":
		news.Level = provider.Alarm
	case "ACCOUNT_VIOLATION":
		news.Level = provider.Warning
	default:
		news.Level = provider.Note
	}
	return news
}

func alertNews(s story) provider.Change {
	news := provider.Change{Level: provider.Warning, News: "WhatsApp has an alert for the account: " + s.words(),
		Remedy: "look at the alert in WhatsApp Manager"}
	if s.severity == "CRITICAL" {
		news.Level = provider.Alarm
	}
	return news
}

func reviewNews(s story) provider.Change {
	news := provider.Change{Level: provider.Note, News: "WhatsApp reviewed the account: " + s.words()}
	if s.decision != "APPROVED" {
		news.Level, news.Remedy = provider.Warning, "look at the account in WhatsApp Manager; an appeal is made there"
	}
	return news
}

func capabilityNews(story) provider.Change {
	return provider.Change{Level: provider.Note, News: "the limits of the account changed",
		Remedy: "compare pace.messages_per_second with the limits in WhatsApp Manager"}
}

func templateNews(s story) provider.Change {
	news := provider.Change{Level: provider.Warning, News: "the status of a message template changed: " + s.words(),
		Remedy: "edit the template in WhatsApp Manager; until it is approved again, replies with it are refused"}
	switch s.event {
	case "APPROVED", "REINSTATED", "UNPAUSED", "IN_APPEAL", "PENDING":
		news.Level, news.Remedy = provider.Note, ""
	}
	return news
}

func qualityNews(s story) provider.Change {
	news := provider.Change{Level: provider.Note, News: "the quality of a message template changed: " + s.words()}
	if s.quality == "RED" || s.quality == "YELLOW" {
		news.Level = provider.Warning
		news.Remedy = "send it to fewer users or edit it: WhatsApp pauses templates of low quality"
	}
	return news
}

func categoryNews(s story) provider.Change {
	return provider.Change{Level: provider.Warning, News: "the category of a message template changed: " + s.words(),
		Remedy: "another category has another price, and marketing is kept from users who stopped it"}
}

func numberNews(s story) provider.Change {
	news := provider.Change{Level: provider.Warning, News: "the quality or the throughput of a number changed: " +
		s.words()}
	switch s.event {
	case "FLAGGED", "DOWNGRADE":
		news.Remedy = "users block or report the number: send less, and look at it in WhatsApp Manager"
	case "THROUGHPUT_UPGRADE":
		news.Remedy = "set pace.messages_per_second of the channel to the new throughput"
	case "UNFLAGGED", "ONBOARDING", "UPGRADE":
		news.Level = provider.Note
	default:
		news.Remedy = "compare pace.messages_per_second with the number's throughput in WhatsApp Manager"
	}
	return news
}

func nameNews(s story) provider.Change {
	news := provider.Change{Level: provider.Note, News: "WhatsApp decided on a number's display name: " + s.words()}
	if s.decision != "APPROVED" {
		news.Level, news.Remedy = provider.Warning, "request another display name in WhatsApp Manager"
	}
	return news
}

func securityNews(s story) provider.Change {
	return provider.Change{Level: provider.Warning, News: "the security settings of a number changed: " + s.words(),
		Remedy: "if your own staff did not change the PIN, change it and the access token"}
}

// remedyOf says what to do about the code of an error without a message.
func remedyOf(code int) string {
	if known, is := codes[code]; is && code != 0 {
		switch known.outcome {
		case provider.ChannelHeld:
			return known.text + ": look at the account and the number in WhatsApp Manager"
		case provider.ChannelLimited, provider.PairLimited:
			return known.text + ": lower pace.messages_per_second"
		}
		return known.text
	}
	return "look the code up in Meta's list of error codes"
}

// words are what is known of a story, in order.
func (s story) words() string {
	text := ""
	for _, word := range []string{s.template, s.event, s.decision, s.severity, s.quality, s.category, s.reason} {
		switch {
		case word == "" || word == "NONE":
		case text == "":
			text = word
		default:
			text += ", " + word
		}
	}
	return orUnnamed(text)
}

func orUnnamed(text string) string {
	if text == "" {
		return "it does not say how"
	}
	return text
}
