package cloudapi

import (
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func checkButtons(c checker, buttons *wactorv1.Buttons) {
	c = c.in("buttons.")
	c.source = sourceButtons
	c.text("body", buttons.GetBody(), provider.MaxButtonsBody)
	checkFrame(c, buttons.GetHeader(), buttons.GetFooter(), true)
	options := buttons.GetOptions()
	c.count("options", len(options), provider.MaxButtons, "buttons")
	ids, titles := unique{}, unique{}
	for i, option := range options {
		at := c.in("options[%d].", i)
		at.text("id", option.GetId(), provider.MaxButtonID)
		at.text("title", option.GetTitle(), provider.MaxButtonTitle)
		ids.check(at, "id", option.GetId())
		titles.check(at, "title", option.GetTitle())
	}
}

func checkList(c checker, list *wactorv1.List) {
	c = c.in("list.")
	c.source = sourceList
	c.text("body", list.GetBody(), provider.MaxListBody)
	c.text("button", list.GetButton(), provider.MaxListButton)
	checkFrame(c, list.GetHeader(), list.GetFooter(), false)
	sections := list.GetSections()
	c.count("sections", len(sections), provider.MaxSections, "sections")
	rows, ids := 0, unique{}
	for i, section := range sections {
		at := c.in("sections[%d].", i)
		if len(sections) > 1 && section.GetTitle() == "" {
			at.add("title", "is needed where there is more than one section")
		}
		at.optional("title", section.GetTitle(), provider.MaxSectionTitle)
		if len(section.GetRows()) == 0 {
			at.add("rows", "is empty")
		}
		checkRows(at, section.GetRows(), ids)
		rows += len(section.GetRows())
	}
	if rows > provider.MaxRows {
		c.tooMany("sections", rows, provider.MaxRows, "rows")
	}
}

// checkRows: ids are unique over the whole list, titles within their section (the same size may
// exist in two of them).
func checkRows(c checker, rows []*wactorv1.Option, ids unique) {
	titles := unique{}
	for i, row := range rows {
		at := c.in("rows[%d].", i)
		at.text("id", row.GetId(), provider.MaxRowID)
		at.text("title", row.GetTitle(), provider.MaxRowTitle)
		at.optional("description", row.GetDescription(), provider.MaxRowDescription)
		ids.check(at, "id", row.GetId())
		titles.check(at, "title", row.GetTitle())
	}
}

func checkCTA(c checker, cta *wactorv1.CallToAction) {
	c = c.in("cta.")
	c.source = sourceCTA
	c.text("body", cta.GetBody(), provider.MaxCTABody)
	c.text("title", cta.GetTitle(), provider.MaxCTATitle)
	c.link("url", cta.GetUrl())
	checkFrame(c, cta.GetHeader(), cta.GetFooter(), true)
}

// checkFrame checks what stands around the body of an interactive message; a list's header is a
// text.
func checkFrame(c checker, header *wactorv1.Header, footer string, mediaAllowed bool) {
	c.optional("footer", footer, provider.MaxFooter)
	if header == nil {
		return
	}
	switch content := header.GetContent().(type) {
	case *wactorv1.Header_Text:
		c.text("header.text", content.Text, provider.MaxHeaderText)
	case *wactorv1.Header_Media:
		if !mediaAllowed {
			c.add("header.media", "only a text header is possible here")
			return
		}
		checkHeaderMedia(c.in("header.media."), content.Media)
	default:
		c.add("header", "is empty")
	}
}

func checkHeaderMedia(c checker, media *wactorv1.Media) {
	switch media.GetType() {
	case "image", "video", "document":
	default:
		c.add("type", "is not one of image, video, document")
	}
	if media.GetCaption() != "" {
		c.add("caption", "a header cannot have a caption")
	}
	checkFile(c, media)
}

// count checks for 1 to limit elements.
func (c checker) count(field string, got, limit int, unit string) {
	switch {
	case got == 0:
		c.add(field, "is empty")
	case got > limit:
		c.tooMany(field, got, limit, unit)
	}
}

// unique remembers where a value was first seen.
type unique map[string]string

func (u unique) check(at checker, field, value string) {
	if value == "" {
		return // a problem of its own
	}
	if first, seen := u[value]; seen {
		at.add(field, "is the same as %s", first)
		return
	}
	u[value] = at.path + field
}
