package cloudapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/provider"
)

func TestClassifyByCode(t *testing.T) {
	for outcome, list := range map[provider.Outcome][]int{
		provider.ChannelLimited: {4, 80007, 80008, 130429},
		provider.PairLimited:    {131056},
		provider.Refused: {100, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131047, 131049, 131050, 131051,
			131052, 131053,
			131062, 132000, 132001, 132015, 999999},
		provider.ChannelHeld: {0, 3, 10, 33, 190, 200, 230, 299, 368, 131005, 131031, 131037, 131042,
			131045, 131048, 133000,
			133010},
		provider.Unknown: {1, 2, 131000, 131016, 131057, 133004},
	} {
		for _, code := range list {
			body := fmt.Sprintf(`{"error":{"message":"(#%d) for 15550001","type":"OAuthException","code":%d,"error_data":{"details":"'secret' is wrong"},"fbtrace_id":"x"}}`, code, code)
			got := Classify(400, []byte(body))
			if got.Outcome != outcome || got.Code != code || !got.HasCode {
				t.Errorf("code %d: %+v, want %v", code, got, outcome)
			}
			if strings.Contains(got.Reason, "15550001") || strings.Contains(got.Reason, "secret") ||
				!strings.Contains(got.Reason, fmt.Sprint(code)) ||
				!strings.HasSuffix(got.Reason, "for ...: ... is wrong") {
				t.Errorf("code %d: reason %q", code, got.Reason)
			}
		}
	}
}

func TestClassifyDetails(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   provider.Outcome
	}{
		"code wins over 500":          {500, `{"error":{"code":131047}}`, provider.Refused},
		"code wins over 429":          {429, `{"error":{"code":131000}}`, provider.Unknown},
		"pair rate with 400":          {400, `{"error":{"code":131056}}`, provider.PairLimited},
		"code as text":                {400, `{"error":{"code":"190"}}`, provider.ChannelHeld},
		"unknown code, 500":           {500, `{"error":{"code":999999}}`, provider.Unknown},
		"unknown code, 429":           {429, `{"error":{"code":999999}}`, provider.ChannelLimited},
		"unknown code, 403":           {403, `{"error":{"code":999999}}`, provider.ChannelHeld},
		"unknown code, 404":           {404, `{"error":{"code":999999}}`, provider.Refused},
		"unknown code, transient":     {400, `{"error":{"code":999999,"is_transient":true}}`, provider.Unknown},
		"upload, transient":           {400, `{"error":{"is_transient":true,"code":131053}}`, provider.Unknown},
		"token, transient":            {400, `{"error":{"code":190,"is_transient":true}}`, provider.ChannelHeld},
		"rate, transient":             {400, `{"error":{"code":4,"is_transient":true}}`, provider.ChannelLimited},
		"phone number id":             {400, `{"error":{"code":100,"error_subcode":33}}`, provider.ChannelHeld},
		"parameter":                   {400, `{"error":{"code":100,"error_subcode":2494010}}`, provider.Refused},
		"429 alone":                   {429, ``, provider.ChannelLimited},
		"429, a page":                 {429, `<html>`, provider.ChannelLimited},
		"500 alone":                   {500, ``, provider.Unknown},
		"502, a page":                 {502, `<html>`, provider.Unknown},
		"503, an object":              {503, `{}`, provider.Unknown},
		"408":                         {408, ``, provider.Unknown},
		"401":                         {401, ``, provider.ChannelHeld},
		"407":                         {407, ``, provider.ChannelHeld},
		"404":                         {404, `not found`, provider.ChannelHeld},
		"302":                         {302, ``, provider.ChannelHeld},
		"400 alone":                   {400, ``, provider.Refused},
		"413":                         {413, ``, provider.Refused},
		"error a string":              {400, `{"error":"invalid_request"}`, provider.Refused},
		"code null is no code":        {500, `{"error":{"code":null}}`, provider.Unknown},
		"code an object is no code":   {500, `{"error":{"code":{}}}`, provider.Unknown},
		"cut off behind the code":     {500, `{"error":{"code":190,"message":"Inva`, provider.ChannelHeld},
		"100 without HTTP sense":      {100, ``, provider.Unknown},
		"200 is not for Classify":     {200, `{}`, provider.Unknown},
		"204":                         {204, ``, provider.Unknown},
		"deeply nested nonsense, 500": {500, strings.Repeat("[", 100), provider.Unknown},
	} {
		if got := Classify(test.status, []byte(test.body)); got.Outcome != test.want {
			t.Errorf("%s: %+v, want %v", name, got, test.want)
		}
	}
}

func TestClassifyWaits(t *testing.T) {
	for code, want := range map[int]time.Duration{4: time.Minute, 130429: time.Second, 131056: 6 * time.Second,
		131047: 0} {
		if got := Classify(400, fmt.Appendf(nil, `{"error":{"code":%d}}`, code)).RetryAfter; got != want {
			t.Errorf("code %d: %v, want %v", code, got, want)
		}
	}
}

func TestFailureText(t *testing.T) {
	got := Classify(400, []byte(`{"error":{"code":100,"error_subcode":33}}`)).Error()
	if want := "cloudapi: held: phone_number_id does not exist for this token (code 100/33, http 400)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Classify(502, nil).Reason; got != "unknown: server error (http 502)" {
		t.Errorf("got %q", got)
	}
}

// TestRefusalsShowTheProvidersWords: an operator reads what the provider says, without what it may
// quote of a user.
func TestRefusalsShowTheProvidersWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"(#132000) Number of parameters does not match","code":132000,"error_data":{"details":` +
			`"body: number of localizable_params (1) does not match the expected number of params (2)"}}`: "refused: " +
			"wrong number of template parameters (code 132000, http 400): Number of parameters does not match: " +
			"body: number of localizable_params (1) does not match the expected number of params (2)",
		`{"message":"(#100) Invalid parameter","code":100,` +
			`"error_data":{"details":"The parameter text['body'] is required."}}`: "refused: invalid parameter " +
			"(code 100, http 400): Invalid parameter: The parameter text['body'] is required.",
		`{"message":"x","code":131009,"error_user_title":"Wrong value",` +
			`"error_user_msg":"'to_number' must differ from \"Ana Lima\""}`: "refused: parameter value not valid " +
			"(code 131009, http 400): Wrong value: 'to_number' must differ from ...",
		`{"code":131026}`: "refused: undeliverable (code 131026, http 400)",
		`{"message":"Same.","code":131026,"error_data":{"details":"Same. And more"}}`: "refused: undeliverable " +
			"(code 131026, http 400): Same. And more",
	} {
		if got := Classify(400, []byte(`{"error":`+body+`}`)).Reason; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestProvidersWordsHoldNothingOfAUser(t *testing.T) {
	for text, want := range map[string]string{
		"to +49 151 000-00001 failed":         "to ... failed",
		"recipient 4915100000001":             "recipient ...",
		"see https://x.example/?u=ana now":    "see ... now",
		"of ana@x.example":                    "of ...",
		"wamid.HBgL= is unknown":              "... is unknown",
		"text \"buy me flowers\" is too long": "text ... is too long",
		"text 'buy me flowers":                "text ...",
		"value: “buy”":                        "value: ...",
		"can't be sent to user's phone":       "can't be sent to user's phone",
		"(#131009) first\n\tsecond":           "first second",
		"code 131053":                         "code 131053",
	} {
		if got := presentable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := presentable(strings.Repeat("ä", 300)); len(got) > mostWords || !strings.HasSuffix(got, "ä...") {
		t.Errorf("a long text: %d bytes, %q", len(got), got)
	}
}
