package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an answer with Meta's error object. Source: Meta, "Error codes" of the Cloud API.
type refusal struct {
	status, code int
	message      string
	// details say what is wrong, where the code alone does not.
	details string
}

// The refusals of this API. Rate limits have been seen with 400 and with 429; bots should go by the
// code.
var (
	errServer      = &refusal{http.StatusInternalServerError, 131000, "Something went wrong", ""}
	errRateLimited = &refusal{http.StatusTooManyRequests, 130429, "Rate limit hit",
		"Cloud API message throughput has been reached."}
	errToken = &refusal{http.StatusUnauthorized, 190, "Invalid OAuth access token", ""}
	errPath  = &refusal{http.StatusNotFound, 2500, "Unknown path components", ""}
)

// invalid refuses a request that is no message at all.
func invalid(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, 100, "Invalid parameter", fmt.Sprintf(format, args...)}
}

// missing refuses a message without a parameter that it needs.
func missing(name string) *refusal {
	return &refusal{http.StatusBadRequest, 131008, "Required parameter is missing", "The parameter " + name +
		" is required."}
}

// beyond refuses a message past WhatsApp's limits.
func beyond(details string) *refusal {
	return &refusal{http.StatusBadRequest, 131009, "Parameter value is not valid", details}
}

// body is the JSON of a refusal.
func (r *refusal) body() []byte {
	type detail struct {
		MessagingProduct string `json:"messaging_product"`
		Details          string `json:"details"`
	}
	type object struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Code    int     `json:"code"`
		Data    *detail `json:"error_data,omitempty"`
		TraceID string  `json:"fbtrace_id"`
	}
	one := object{Message: fmt.Sprintf("(#%d) %s", r.code, r.message), Type: "OAuthException", Code: r.code,
		TraceID: "emulated"}
	if r.details != "" {
		one.Data = &detail{"whatsapp", r.details}
	}
	out, _ := json.Marshal(map[string]object{"error": one}) // strings and a number can always be marshalled
	return out
}
