package cloudapi

import (
	"regexp"

	"github.com/wactor/wactor/internal/secret"
	"github.com/wactor/wactor/provider"
)

// Name is the provider's word in the configuration.
const Name = "whatsapp_cloud"

// DefaultGraphURL is the Graph API with the version that this package was written against.
const DefaultGraphURL = "https://graph.facebook.com/v26.0"

// Settings are the keys of a channel of the Cloud API.
type Settings struct {
	// PhoneNumberID is Meta's id of the number: digits, not the phone number itself. Required; one
	// channel each.
	PhoneNumberID string `yaml:"phone_number_id"`
	// IgnoreNumbers are the phone_number_ids of numbers of the same app that another program
	// serves: what arrives for them on this channel's address is acknowledged without a warning.
	// Default none.
	IgnoreNumbers []string `yaml:"ignore_numbers"`
	// VerifyToken is the word of your own that Meta repeats when the webhook is set up. Required.
	VerifyToken secret.Secret `yaml:"verify_token"`
	// AppSecret signs webhooks: a text, or a list while a secret is being replaced (any of them
	// fits). Required.
	AppSecret secret.Secrets `yaml:"app_secret"`
	// AccessToken allows to send. Required.
	AccessToken secret.Secret `yaml:"access_token"`
	// GraphURL is the Graph API with its version. Default DefaultGraphURL.
	GraphURL string `yaml:"graph_url"`
}

var _ provider.Settings = (*Settings)(nil)

// NewSettings returns settings with all defaults.
func NewSettings() provider.Settings { return &Settings{GraphURL: DefaultGraphURL} }

// Number implements provider.Settings.
func (s *Settings) Number() (key, id string) { return "phone_number_id", s.PhoneNumberID }

// IgnoredNumbers implements provider.Settings.
func (s *Settings) IgnoredNumbers() []string { return s.IgnoreNumbers }

// WebhookSecrets implements provider.Settings.
func (s *Settings) WebhookSecrets() []string { return s.AppSecret.Reveal() }

// Codec implements provider.Settings.
func (s *Settings) Codec() provider.Codec {
	return &Codec{VerifyToken: s.VerifyToken.Reveal(), AppSecrets: s.AppSecret.Reveal()}
}

var digits = regexp.MustCompile(`^[0-9]{1,32}$`)

// Validate implements provider.Settings.
func (s *Settings) Validate(r provider.Report) {
	const number = "phone_number_id"
	r.Required(number, s.PhoneNumberID == "", "copy it from the provider's console")
	if s.PhoneNumberID != "" && !digits.MatchString(s.PhoneNumberID) {
		r.Problem(number, "copy the phone number ID, not the phone number", "must have digits only")
	}
	for i, ignored := range s.IgnoreNumbers {
		if key := provider.Element("ignore_numbers", i); !digits.MatchString(ignored) {
			r.Problem(key, "copy the phone_number_id from the provider's console",
				"%s is not a phone_number_id: digits", r.Quote(key, ignored))
		}
	}
	r.Required("verify_token", s.VerifyToken.Empty(), `choose a word, and write it as "${VERIFY_TOKEN}"`)
	r.Tokens("app_secret", `copy the app secret from the provider's console, and write it as "${APP_SECRET}"`,
		s.AppSecret...)
	r.Tokens("access_token", `write it as "${ACCESS_TOKEN}"`, s.AccessToken)
	r.URL("graph_url", s.GraphURL)
}

// Warn implements provider.Settings.
func (s *Settings) Warn(r provider.Report) {
	r.Weak("app_secret", s.AppSecret...)
	r.Weak("access_token", s.AccessToken)
	r.Plain("graph_url", s.GraphURL)
}
