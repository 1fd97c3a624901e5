package cloudapi

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Limits of the Cloud API beside those of package provider, in characters unless said otherwise.
const (
	// maxTemplateName bounds the name of a template (message templates; not confirmed).
	maxTemplateName = 512

	// MaxReplyID bounds biz_opaque_callback_data (reference/messages; read in third-party SDKs
	// only).
	MaxReplyID = 512
	// maxRawDepth bounds the nesting of a raw message. It is Wactor's own limit: no message of the
	// API goes deeper.
	maxRawDepth = 32
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

// Check says whether WhatsApp's documented limits allow this reply. It returns nil or Problems: all
// of them, so that a bot's author does not meet them one by one. Lengths are counted in characters
// (code points).
//
// It does not know what only the provider knows: whether the 24-hour window is open, a template
// exists, a link can be loaded. A raw message is the provider's own object and is checked for its
// frame alone.
func Check(reply *wactorv1.Reply) error {
	var problems Problems
	c := checker{problems: &problems, source: sourceMessages}
	checkContent(c, reply)
	if reply.GetReaction() != nil && reply.GetReplyTo() != "" {
		c.add("reply_to", "a reaction cannot quote a message")
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

func checkContent(c checker, reply *wactorv1.Reply) {
	switch content := reply.GetContent().(type) {
	case *wactorv1.Reply_Text:
		c.source = sourceText
		c.text("text", content.Text, provider.MaxText)
	case *wactorv1.Reply_Buttons:
		checkButtons(c, content.Buttons)
	case *wactorv1.Reply_List:
		checkList(c, content.List)
	case *wactorv1.Reply_Cta:
		checkCTA(c, content.Cta)
	case *wactorv1.Reply_Media:
		checkMedia(c.in("media."), content.Media)
	case *wactorv1.Reply_Location:
		checkLocation(c.in("location."), content.Location)
	case *wactorv1.Reply_Template:
		c = c.in("template.")
		c.text("name", content.Template.GetName(), maxTemplateName)
		c.required("language", content.Template.GetLanguage())
		checkComponents(c, content.Template.GetComponents())
	case *wactorv1.Reply_Reaction:
		c.in("reaction.").required("message_id", content.Reaction.GetMessageId())
	case *wactorv1.Reply_LocationRequest:
		c.source = sourceLocationRequest
		c.text("location_request", content.LocationRequest, provider.MaxLocationRequestBody)
	case *wactorv1.Reply_Raw:
		checkRaw(c.in("raw."), content.Raw.AsMap())
	default:
		c.add("reply", "is empty")
	}
}

// checkComponents checks what can be known of a template's parameters without the template. A type
// that is not known passes.
func checkComponents(c checker, components []*structpb.Struct) {
	indexes, kinds := unique{}, unique{}
	for i, component := range components {
		at, fields := c.in("components[%d].", i), component.GetFields()
		kind := strings.ToLower(fields["type"].GetStringValue())
		at.required("type", kind)
		if kind == "button" {
			at.required("sub_type", fields["sub_type"].GetStringValue())
			index := buttonIndex(fields["index"])
			if index == "" {
				at.add("index", "is not a number from 0 to 9")
			}
			indexes.check(at, "index", index)
		} else {
			kinds.check(at, "type", kind)
		}
		parameters, names := fields["parameters"].GetListValue().GetValues(), unique{}
		if kind == "header" && len(parameters) > 1 {
			at.tooMany("parameters", len(parameters), 1, "parameters")
		}
		limit := provider.TemplateText(kind, len(components))
		for j, parameter := range parameters {
			in, fields := at.in("parameters[%d].", j), parameter.GetStructValue().GetFields()
			checkParameter(in, fields, limit)
			names.check(in, "parameter_name", fields["parameter_name"].GetStringValue())
		}
	}
}

// buttonIndex reads a button's place, a digit as a number or as a text; empty where it is none.
func buttonIndex(value *structpb.Value) string {
	text := value.GetStringValue()
	if number, is := value.GetKind().(*structpb.Value_NumberValue); is {
		text = strconv.FormatFloat(number.NumberValue, 'f', -1, 64)
	}
	if len(text) != 1 || !isDigit(text[0]) {
		return ""
	}
	return text
}

// checkParameter knows texts and files. WhatsApp refuses texts with line breaks, tabs or more than
// four spaces in a row (error 132018).
func checkParameter(c checker, fields map[string]*structpb.Value, limit int) {
	kind := fields["type"].GetStringValue()
	c.required("type", kind)
	switch kind {
	case "text":
		text := fields["text"].GetStringValue()
		c.text("text", text, limit)
		if strings.ContainsAny(text, "\n\r\t") || strings.Contains(text, "     ") {
			c.add("text", "holds a line break, a tab or more than four spaces in a row")
		}
	case "image", "video", "document":
		file := fields[kind].GetStructValue().GetFields()
		if (file["id"].GetStringValue() == "") == (file["link"].GetStringValue() == "") {
			c.add(kind, "needs either id or link")
		}
	}
}

// text checks a field that must have 1 to limit characters.
func (c checker) text(field, value string, limit int) {
	c.required(field, value)
	c.optional(field, value, limit)
}

// optional checks a field that has at most limit characters.
func (c checker) optional(field, value string, limit int) {
	if got := utf8.RuneCountInString(value); got > limit {
		c.tooMany(field, got, limit, "characters")
	}
}

// required checks a field that must not be empty. White space alone is empty to WhatsApp.
func (c checker) required(field, value string) {
	if strings.TrimSpace(value) == "" {
		c.add(field, "is empty")
	}
}

// link checks for an address that WhatsApp can open: absolute, with a host, over https.
func (c checker) link(field, value string) {
	if value == "" {
		c.add(field, "is empty")
		return
	}
	if address, err := url.Parse(value); err != nil || address.Scheme != "https" || address.Host == "" {
		c.add(field, "is not an https address")
	}
}

func checkMedia(c checker, media *wactorv1.Media) {
	kind := media.GetType()
	switch kind {
	case "image", "video", "document":
		c.optional("caption", media.GetCaption(), provider.MaxCaption)
	case "audio", "sticker":
		if media.GetCaption() != "" {
			c.add("caption", "%s cannot have a caption", kind)
		}
	default:
		c.add("type", "is not one of image, video, audio, document, sticker")
	}
	checkFile(c, media)
}

// maxFiles are the largest files of each kind, in bytes (Meta, "Supported media types").
var maxFiles = map[string]int{
	"image": 5 << 20, "audio": 16 << 20, "video": 16 << 20, "document": 100 << 20, "sticker": 500 << 10,
}

// checkFile checks where the bytes of a file come from. A file and data are uploaded before the
// reply is sent, which then has an id.
func checkFile(c checker, media *wactorv1.Media) {
	from := 0
	for _, given := range []bool{
		media.GetId() != "", media.GetLink() != "", media.GetFile() != "", len(media.GetData()) > 0,
	} {
		if given {
			from++
		}
	}
	switch {
	case from > 1:
		c.add("id", "one of id, link, file and data, not several")
	case from == 0:
		c.add("id", "id, link, file or data is needed")
	case media.GetLink() != "":
		c.link("link", media.GetLink())
	}
	if most := maxFiles[media.GetType()]; most > 0 && len(media.GetData()) > most {
		c.tooMany("data", len(media.GetData()), most, "bytes")
	}
}

func checkLocation(c checker, location *wactorv1.Location) {
	within := func(field string, value, bound float64) {
		if math.IsNaN(value) || math.Abs(value) > bound {
			c.add(field, "is not between -%v and %v degrees", bound, bound)
		}
	}
	within("latitude", location.GetLatitude(), 90)
	within("longitude", location.GetLongitude(), 180)
}

// ownFields are what Encode gives a message: a bot that sets one would write to another user,
// break the bookkeeping of statuses, or send no message at all.
var ownFields = []string{"to", "recipient", "biz_opaque_callback_data", "status"}

func checkRaw(c checker, message map[string]any) {
	c.source = ""
	for _, field := range ownFields {
		if _, set := message[field]; set {
			c.add(field, "is set by Wactor")
		}
	}
	kind, _ := message["type"].(string)
	if kind == "" {
		c.add("type", "is missing")
	} else if !isComposite(message[kind]) {
		c.add("type", "the object of this type is missing")
	}
	if depth := depthOf(message, maxRawDepth+1); depth > maxRawDepth {
		c.tooMany("type", depth, maxRawDepth, "levels or more")
	}
}

func isComposite(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// depthOf counts the levels of a value, at most limit of them.
func depthOf(value any, limit int) int {
	if limit == 0 || !isComposite(value) {
		return 0
	}
	deepest := 0
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value { //lint:order the largest is the same in every order
			deepest = max(deepest, depthOf(inner, limit-1))
		}
	case []any:
		for _, inner := range value {
			deepest = max(deepest, depthOf(inner, limit-1))
		}
	}
	return deepest + 1
}
