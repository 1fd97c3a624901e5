package bot

import (
	"testing"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/whatsapp"
)

// TestFlowKeepsTheLimitsOfOthers: package flow repeats the limits of its siblings, which it does
// not import.
func TestFlowKeepsTheLimitsOfOthers(t *testing.T) {
	for name, pair := range map[string][2]int{
		"MaxText":                {flow.MaxText, whatsapp.MaxText},
		"MaxButtons":             {flow.MaxButtons, whatsapp.MaxButtons},
		"MaxButtonID":            {flow.MaxButtonID, whatsapp.MaxButtonID},
		"MaxButtonTitle":         {flow.MaxButtonTitle, whatsapp.MaxButtonTitle},
		"MaxButtonsBody":         {flow.MaxButtonsBody, whatsapp.MaxButtonsBody},
		"MaxRows":                {flow.MaxRows, whatsapp.MaxRows},
		"MaxRowID":               {flow.MaxRowID, whatsapp.MaxRowID},
		"MaxRowTitle":            {flow.MaxRowTitle, whatsapp.MaxRowTitle},
		"MaxRowDescription":      {flow.MaxRowDescription, whatsapp.MaxRowDescription},
		"MaxSectionTitle":        {flow.MaxSectionTitle, whatsapp.MaxSectionTitle},
		"MaxListButton":          {flow.MaxListButton, whatsapp.MaxListButton},
		"MaxListBody":            {flow.MaxListBody, whatsapp.MaxListBody},
		"MaxCTATitle":            {flow.MaxCTATitle, whatsapp.MaxCTATitle},
		"MaxCTABody":             {flow.MaxCTABody, whatsapp.MaxCTABody},
		"MaxLocationRequestBody": {flow.MaxLocationRequestBody, whatsapp.MaxLocationRequestBody},
		"MaxHeaderText":          {flow.MaxHeaderText, whatsapp.MaxHeaderText},
		"MaxFooter":              {flow.MaxFooter, whatsapp.MaxFooter},
		"MaxCaption":             {flow.MaxCaption, whatsapp.MaxCaption},
		"MaxReplies":             {flow.MaxReplies, conversation.MaxReplies},
		"MaxState":               {flow.MaxState, conversation.MaxStateBytes},
	} {
		if pair[0] != pair[1] {
			t.Errorf("flow.%s is %d, elsewhere %d", name, pair[0], pair[1])
		}
	}
}
