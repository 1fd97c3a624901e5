package graph

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// Upload implements provider.Files: POST /{phone-number-id}/media with a form, as Meta's "Media"
// describes it. The content is streamed. The id is good for 30 days, for this number alone.
func (f *Files) Upload(ctx context.Context, file provider.Upload) (id string, err error) {
	if f.flaw != "" {
		return "", fmt.Errorf("graph: %s: %w", f.flaw, provider.ErrFileDenied)
	}
	head, tail, contentType, err := uploadForm(file.MIMEType)
	if err != nil {
		return "", err
	}
	address := f.base.JoinPath(f.config.PhoneNumberID, "media")
	response, err := f.do(ctx, http.MethodPost, address, func(r *http.Request) {
		r.Header.Set("Content-Type", contentType)
		r.ContentLength = int64(len(head)) + file.Size + int64(len(tail))
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(head), io.LimitReader(file.Content, file.Size),
			bytes.NewReader(tail)))
	})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode == http.StatusOK {
		return decodeUpload(body)
	}
	return "", uploadFailure(response.StatusCode, body)
}

// uploadForm returns what stands before and behind the content.
func uploadForm(mimeType string) (head, tail []byte, contentType string, err error) {
	var form bytes.Buffer
	fields := multipart.NewWriter(&form)
	for _, field := range [][2]string{{"messaging_product", "whatsapp"}, {"type", mimeType}} {
		if err := fields.WriteField(field[0], field[1]); err != nil {
			return nil, nil, "", err
		}
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", mime.FormatMediaType("form-data", map[string]string{
		"name": "file", "filename": "file",
	}))
	header.Set("Content-Type", mimeType)
	if _, err := fields.CreatePart(header); err != nil {
		return nil, nil, "", err
	}
	head = bytes.Clone(form.Bytes())
	form.Reset()
	if err := fields.Close(); err != nil {
		return nil, nil, "", err
	}
	return head, form.Bytes(), fields.FormDataContentType(), nil
}

// uploadFailure classes an answer to an upload. A file that is rejected for its type or size is
// rejected again.
func uploadFailure(status int, body []byte) error {
	failure := cloudapi.Classify(status, body)
	err := fmt.Errorf("graph: an upload failed (code %d, http %d)", failure.Code, status)
	switch failure.Outcome {
	case provider.ChannelHeld:
		return fmt.Errorf("%w: %w", err, provider.ErrFileDenied)
	case provider.Refused:
		return fmt.Errorf("%w: %w", err, provider.ErrFileRejected)
	}
	return err
}
