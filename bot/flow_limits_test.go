package bot

import (
	"testing"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/provider/cloudapi"
)

// TestFlowKeepsTheLimitsOfOthers: package flow repeats the limits of its siblings, which it does
// not import.
func TestFlowKeepsTheLimitsOfOthers(t *testing.T) {
	for name, pair := range map[string][2]int{
		"MaxText":                {fit.MaxText, cloudapi.MaxText},
		"MaxButtons":             {fit.MaxButtons, cloudapi.MaxButtons},
		"MaxButtonID":            {fit.MaxButtonID, cloudapi.MaxButtonID},
		"MaxButtonTitle":         {fit.MaxButtonTitle, cloudapi.MaxButtonTitle},
		"MaxButtonsBody":         {fit.MaxButtonsBody, cloudapi.MaxButtonsBody},
		"MaxRows":                {fit.MaxRows, cloudapi.MaxRows},
		"MaxRowID":               {fit.MaxRowID, cloudapi.MaxRowID},
		"MaxRowTitle":            {fit.MaxRowTitle, cloudapi.MaxRowTitle},
		"MaxRowDescription":      {fit.MaxRowDescription, cloudapi.MaxRowDescription},
		"MaxSectionTitle":        {fit.MaxSectionTitle, cloudapi.MaxSectionTitle},
		"MaxListButton":          {fit.MaxListButton, cloudapi.MaxListButton},
		"MaxListBody":            {fit.MaxListBody, cloudapi.MaxListBody},
		"MaxCTATitle":            {fit.MaxCTATitle, cloudapi.MaxCTATitle},
		"MaxCTABody":             {fit.MaxCTABody, cloudapi.MaxCTABody},
		"MaxLocationRequestBody": {fit.MaxLocationRequestBody, cloudapi.MaxLocationRequestBody},
		"MaxHeaderText":          {fit.MaxHeaderText, cloudapi.MaxHeaderText},
		"MaxFooter":              {fit.MaxFooter, cloudapi.MaxFooter},
		"MaxCaption":             {fit.MaxCaption, cloudapi.MaxCaption},
		"MaxReplies":             {run.MaxReplies, conversation.MaxReplies},
		"MaxState":               {run.MaxState, conversation.MaxStateBytes},
	} {
		if pair[0] != pair[1] {
			t.Errorf("flow.%s is %d, elsewhere %d", name, pair[0], pair[1])
		}
	}
}
