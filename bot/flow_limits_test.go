package bot

import (
	"testing"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/provider/cloudapi"
)

// TestFlowKeepsTheLimitsOfOthers: package flow repeats the limits of its siblings, which it does
// not import.
func TestFlowKeepsTheLimitsOfOthers(t *testing.T) {
	for name, pair := range map[string][2]int{
		"MaxText":                {flow.MaxText, cloudapi.MaxText},
		"MaxButtons":             {flow.MaxButtons, cloudapi.MaxButtons},
		"MaxButtonID":            {flow.MaxButtonID, cloudapi.MaxButtonID},
		"MaxButtonTitle":         {flow.MaxButtonTitle, cloudapi.MaxButtonTitle},
		"MaxButtonsBody":         {flow.MaxButtonsBody, cloudapi.MaxButtonsBody},
		"MaxRows":                {flow.MaxRows, cloudapi.MaxRows},
		"MaxRowID":               {flow.MaxRowID, cloudapi.MaxRowID},
		"MaxRowTitle":            {flow.MaxRowTitle, cloudapi.MaxRowTitle},
		"MaxRowDescription":      {flow.MaxRowDescription, cloudapi.MaxRowDescription},
		"MaxSectionTitle":        {flow.MaxSectionTitle, cloudapi.MaxSectionTitle},
		"MaxListButton":          {flow.MaxListButton, cloudapi.MaxListButton},
		"MaxListBody":            {flow.MaxListBody, cloudapi.MaxListBody},
		"MaxCTATitle":            {flow.MaxCTATitle, cloudapi.MaxCTATitle},
		"MaxCTABody":             {flow.MaxCTABody, cloudapi.MaxCTABody},
		"MaxLocationRequestBody": {flow.MaxLocationRequestBody, cloudapi.MaxLocationRequestBody},
		"MaxHeaderText":          {flow.MaxHeaderText, cloudapi.MaxHeaderText},
		"MaxFooter":              {flow.MaxFooter, cloudapi.MaxFooter},
		"MaxCaption":             {flow.MaxCaption, cloudapi.MaxCaption},
		"MaxReplies":             {flow.MaxReplies, conversation.MaxReplies},
		"MaxState":               {flow.MaxState, conversation.MaxStateBytes},
	} {
		if pair[0] != pair[1] {
			t.Errorf("flow.%s is %d, elsewhere %d", name, pair[0], pair[1])
		}
	}
}
