package graph

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/wactor/wactor/provider"
)

// maxFileField bounds each text of a description of a file, in bytes.
const maxFileField = 4096

var errNoFile = errors.New("graph: the answer describes no file")

// decodeFile reads the answer to GET /{media-id}. The size comes as a number or as a string, the
// hash in hexadecimal or in base64 (Meta, "Media", and samples of other programs).
func decodeFile(body []byte) (provider.File, error) {
	var answer struct {
		URL      string          `json:"url"`
		MIMEType string          `json:"mime_type"`
		SHA256   string          `json:"sha256"`
		Size     json.RawMessage `json:"file_size"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.URL == "" ||
		len(answer.URL) > maxFileField || len(answer.MIMEType) > maxFileField {
		return provider.File{}, errNoFile
	}
	text := string(answer.Size)
	if unquoted := ""; json.Unmarshal(answer.Size, &unquoted) == nil {
		text = unquoted
	}
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil || size < 0 {
		size = 0
	}
	return provider.File{
		Address: answer.URL, MIMEType: answer.MIMEType, SHA256: provider.ParseSHA256(answer.SHA256), Size: size,
	}, nil
}

// decodeUpload reads the answer to POST /{phone-number-id}/media: the id of the stored file.
func decodeUpload(body []byte) (id string, err error) {
	var answer struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &answer) != nil || !isMediaID(answer.ID) {
		return "", errors.New("graph: the answer names no media id")
	}
	return answer.ID, nil
}

// isMediaID reports whether a text can be the id of a file: digits, in practice, and nothing that
// could change an address. Up to 128 bytes.
func isMediaID(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return text != "" && len(text) <= 128 && text[0] != '.'
}
