package provider

// Limits of WhatsApp's messages, in characters (Unicode code points) unless said otherwise: what a
// flow is checked for and what a bot's reply is made to fit. A provider that takes less reports it
// by Codec.Check.
//
// Each names the page that it comes from; pages are below
// https://developers.facebook.com/docs/whatsapp/cloud-api/. "Not confirmed" marks a number that is
// in common use but was not read there.
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

	// MaxTemplateHeader bounds a text parameter of a template's header (messages/template-messages;
	// not confirmed).
	MaxTemplateHeader = 60
	// MaxTemplateBody bounds one of its body where there are other components, MaxTemplateText
	// where there are none (same page; not confirmed).
	MaxTemplateBody = 1024
	MaxTemplateText = 32768

	// MaxCaption bounds the caption of an image, a video or a document (reference/messages).
	MaxCaption = 1024
)

// TemplateText returns how long a text parameter of a template's component may be, in characters,
// where the template is sent with so many components.
func TemplateText(component string, components int) int {
	switch {
	case component == "header":
		return MaxTemplateHeader
	case component == "body" && components == 1:
		return MaxTemplateText
	}
	return MaxTemplateBody
}
