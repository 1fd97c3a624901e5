package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/wactor/wactor/provider/cloudapi"
)

// key is one key of the file that holds a value and no further keys.
type key struct {
	// path is as in docs/configuration.md: channels[].name, bots.NAME.flow.
	path string
	// value is the default, as the file would have it; empty where that can't be written.
	value string
	// words are those that it may have; none where it may have others.
	words []string
}

// keys are those that the decoder knows.
func keys() []key { return keysBelow("", reflect.ValueOf(*Default())) }

func keysBelow(path string, part reflect.Value) []key {
	switch value := part.Interface().(type) {
	case Secret, Secrets, []string, map[string]Secret:
		return []key{{path: path}}
	case time.Duration:
		return []key{{path: path, value: formatDuration(value)}}
	case Size:
		return []key{{path: path, value: value.String()}}
	case interface{ Words() []string }:
		return []key{{path, fmt.Sprint(value), value.Words()}}
	case []Channel:
		return append(keysBelow(path+"[]", reflect.ValueOf(DefaultChannel())),
			keysBelow(path+"[]", reflect.ValueOf(cloudapi.NewSettings()).Elem())...)
	case map[string]Principal:
		return keysBelow(path+".NAME", reflect.ValueOf(Principal{}))
	case map[string]Bot:
		return keysBelow(path+".NAME", reflect.ValueOf(DefaultBot()))
	case *ListenTLS:
		return keysBelow(path, reflect.ValueOf(ListenTLS{}))
	case *ListenACME:
		return keysBelow(path, reflect.ValueOf(DefaultListenACME()))
	case *ClusterTLS:
		return keysBelow(path, reflect.ValueOf(ClusterTLS{}))
	case *HTTPBot:
		return keysBelow(path, reflect.ValueOf(DefaultHTTPBot()))
	}
	if part.Kind() != reflect.Struct {
		return []key{{path: path, value: fmt.Sprint(part.Interface())}}
	}
	var found []key
	for i := range part.NumField() {
		if name := part.Type().Field(i).Tag.Get("yaml"); name != "-" {
			found = append(found, keysBelow(child(path, name), part.Field(i))...)
		}
	}
	return found
}

// paths are those of some keys and of the parts that hold them.
func paths(keys []key) map[string]bool {
	all := map[string]bool{}
	for _, k := range keys {
		for path := k.path; path != ""; path = path[:max(0, strings.LastIndex(path, "."))] {
			all[path] = true
		}
	}
	delete(all, "bots")
	delete(all, "admin.principals")
	return all
}
