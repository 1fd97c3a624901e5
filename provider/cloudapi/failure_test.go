package cloudapi

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestClassifyByCode(t *testing.T) {
	for class, list := range map[Class][]int{
		ClassRejected: {4, 80007, 80008, 130429, 131056},
		ClassRefused: {100, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131047, 131049, 131050, 131051,
			131052, 131053,
			131062, 132000, 132001, 132015, 999999},
		ClassHeld: {0, 3, 10, 33, 190, 200, 230, 299, 368, 131005, 131031, 131037, 131042, 131045, 131048, 133000,
			133010},
		ClassUnknown: {1, 2, 131000, 131016, 131057, 133004},
	} {
		for _, code := range list {
			body := fmt.Sprintf(`{"error":{"message":"(#%d) for 15550001","type":"OAuthException","code":%d,"error_data":{"details":"secret"},"fbtrace_id":"x"}}`, code, code)
			got := Classify(400, []byte(body))
			if got.Class != class || got.Code != code || !got.HasCode {
				t.Errorf("code %d: %+v, want %v", code, got, class)
			}
			if strings.Contains(got.Reason, "15550001") || strings.Contains(got.Reason, "secret") ||
				!strings.Contains(got.Reason, fmt.Sprint(code)) {
				t.Errorf("code %d: reason %q", code, got.Reason)
			}
		}
	}
}

func TestClassifyDetails(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   Class
	}{
		"code wins over 500":          {500, `{"error":{"code":131047}}`, ClassRefused},
		"code wins over 429":          {429, `{"error":{"code":131000}}`, ClassUnknown},
		"pair rate with 400":          {400, `{"error":{"code":131056}}`, ClassRejected},
		"code as text":                {400, `{"error":{"code":"190"}}`, ClassHeld},
		"unknown code, 500":           {500, `{"error":{"code":999999}}`, ClassUnknown},
		"unknown code, 429":           {429, `{"error":{"code":999999}}`, ClassRejected},
		"unknown code, 403":           {403, `{"error":{"code":999999}}`, ClassHeld},
		"unknown code, 404":           {404, `{"error":{"code":999999}}`, ClassRefused},
		"unknown code, transient":     {400, `{"error":{"code":999999,"is_transient":true}}`, ClassUnknown},
		"upload, transient":           {400, `{"error":{"is_transient":true,"code":131053}}`, ClassUnknown},
		"token, transient":            {400, `{"error":{"code":190,"is_transient":true}}`, ClassHeld},
		"rate, transient":             {400, `{"error":{"code":4,"is_transient":true}}`, ClassRejected},
		"phone number id":             {400, `{"error":{"code":100,"error_subcode":33}}`, ClassHeld},
		"parameter":                   {400, `{"error":{"code":100,"error_subcode":2494010}}`, ClassRefused},
		"429 alone":                   {429, ``, ClassRejected},
		"429, a page":                 {429, `<html>`, ClassRejected},
		"500 alone":                   {500, ``, ClassUnknown},
		"502, a page":                 {502, `<html>`, ClassUnknown},
		"503, an object":              {503, `{}`, ClassUnknown},
		"408":                         {408, ``, ClassUnknown},
		"401":                         {401, ``, ClassHeld},
		"407":                         {407, ``, ClassHeld},
		"404":                         {404, `not found`, ClassHeld},
		"302":                         {302, ``, ClassHeld},
		"400 alone":                   {400, ``, ClassRefused},
		"413":                         {413, ``, ClassRefused},
		"error a string":              {400, `{"error":"invalid_request"}`, ClassRefused},
		"code null is no code":        {500, `{"error":{"code":null}}`, ClassUnknown},
		"code an object is no code":   {500, `{"error":{"code":{}}}`, ClassUnknown},
		"cut off behind the code":     {500, `{"error":{"code":190,"message":"Inva`, ClassHeld},
		"100 without HTTP sense":      {100, ``, ClassUnknown},
		"200 is not for Classify":     {200, `{}`, ClassUnknown},
		"204":                         {204, ``, ClassUnknown},
		"deeply nested nonsense, 500": {500, strings.Repeat("[", 100), ClassUnknown},
	} {
		if got := Classify(test.status, []byte(test.body)); got.Class != test.want {
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
