package fit

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
