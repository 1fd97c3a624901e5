package config

import (
	"fmt"
	"reflect"

	"github.com/wactor/wactor/internal/secret"
	"github.com/wactor/wactor/provider"
)

// Secret is a value that nothing shows.
type Secret = secret.Secret

// Secrets is one secret, or several of which any fits.
type Secrets = secret.Secrets

// Reread returns a channel's settings with the secrets that their files hold now; changed where one
// differs. A secret that is not the whole content of a file (${file:path} or ${credential:NAME},
// and nothing beside it) stays as it is, and so does one whose file can't be read. Each is called
// with the key of each secret that is in a file, and with what went wrong there: an error names the
// file, never its content.
func Reread(settings provider.Settings, each func(key string, changed bool, err error)) (
	again provider.Settings, changed bool) {
	before := reflect.ValueOf(settings).Elem()
	copied := reflect.New(before.Type())
	copied.Elem().Set(before)
	reread := func(key string, one Secret) Secret {
		if one.File() == "" {
			return one
		}
		now, err := rereadSecret(one)
		differs := now.Reveal() != one.Reveal()
		each(key, differs, err)
		changed = changed || differs
		return now
	}
	for key, field := range fieldsOf(copied.Elem()) {
		switch value := field.Interface().(type) {
		case Secret:
			field.Set(reflect.ValueOf(reread(key, value)))
		case Secrets:
			now := make(Secrets, len(value))
			for i := range value {
				now[i] = reread(key, value[i])
			}
			field.Set(reflect.ValueOf(now))
		}
	}
	return copied.Interface().(provider.Settings), changed
}

func rereadSecret(before Secret) (Secret, error) {
	content, err := readFile(before.File(), maxReferenceBytes)
	if err != nil {
		return before, fmt.Errorf("config: read %s: %w", before.File(), reason(err))
	}
	text := withoutLineBreak(content)
	if text == "" {
		return before, fmt.Errorf("config: %s is empty", before.File())
	}
	return secret.FromFile(text, before.File()), nil
}
