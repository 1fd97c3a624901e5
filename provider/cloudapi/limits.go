package cloudapi

// Limits of WhatsApp's messages, in characters (Unicode code points) unless said otherwise. Each
// names the page that it comes from; pages are below
// https://developers.facebook.com/docs/whatsapp/cloud-api/. "Not confirmed" marks a number that is
// in common use but was not read there.
//
// Package flow mirrors the ones that a flow can break, since it may not import this package.
const (
	// MaxText bounds the body of a text message (messages/text-messages).
	MaxText = 4096

	// MaxButtons bounds the options of a buttons message
	// (messages/interactive-reply-buttons-messages).
	MaxButtons = 3
	// MaxButtonID bounds the id of a button (same page).
	MaxButtonID = 256
	// MaxButtonTitle bounds the title of a button (same page).
	MaxButtonTitle = 20
	// MaxButtonsBody bounds the body of a buttons message (same page).
	MaxButtonsBody = 1024

	// MaxSections bounds the sections of a list (messages/interactive-list-messages).
	MaxSections = 10
	// MaxSectionTitle bounds the title of a section (same page); it may be left out where there is
	// one section.
	MaxSectionTitle = 24
	// MaxRows bounds the rows of a list over all its sections (same page).
	MaxRows = 10
	// MaxRowID bounds the id of a row (same page; not confirmed).
	MaxRowID = 200
	// MaxRowTitle bounds the title of a row (same page).
	MaxRowTitle = 24
	// MaxRowDescription bounds the description of a row (same page).
	MaxRowDescription = 72
	// MaxListButton bounds the text of the button that opens a list (same page).
	MaxListButton = 20
	// MaxListBody bounds the body of a list (same page).
	MaxListBody = 4096

	// MaxCTATitle bounds the text of a call-to-action button
	// (messages/interactive-cta-url-messages).
	MaxCTATitle = 20
	// MaxCTABody bounds the body of a call to action (same page; not confirmed).
	MaxCTABody = 1024
	// MaxLocationRequestBody bounds the body of a location request
	// (guides/send-messages/location-request-messages; not confirmed).
	MaxLocationRequestBody = 1024

	// MaxHeaderText bounds the text header of buttons, lists and calls to action
	// (reference/messages).
	MaxHeaderText = 60
	// MaxFooter bounds their footer (reference/messages).
	MaxFooter = 60

	// MaxCaption bounds the caption of an image, a video or a document (reference/messages).
	MaxCaption = 1024

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
