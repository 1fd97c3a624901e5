package cloudapi

// Limits of the Cloud API beside those of package provider, in characters unless said otherwise.
const (
	// MaxTemplateName bounds the name of a template (message templates; not confirmed).
	MaxTemplateName = 512

	// MaxReplyID bounds biz_opaque_callback_data (reference/messages; read in third-party SDKs
	// only).
	MaxReplyID = 512
	// MaxRawDepth bounds the nesting of a raw message. It is Wactor's own limit: no message of the
	// API goes deeper.
	MaxRawDepth = 32
)

const docs = "https://developers.facebook.com/docs/whatsapp/cloud-api/"

// Pages that problems point to.
const (
	sourceText            = docs + "messages/text-messages"
	sourceButtons         = docs + "messages/interactive-reply-buttons-messages"
	sourceList            = docs + "messages/interactive-list-messages"
	sourceCTA             = docs + "messages/interactive-cta-url-messages"
	sourceLocationRequest = docs + "guides/send-messages/location-request-messages"
	sourceMessages        = docs + "reference/messages"
)
