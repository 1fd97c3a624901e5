package transcript

import (
	"path/filepath"
	"strings"
)

// FlowOf returns the path of the flow that a transcript is for: what its line "@ flow NAME" names,
// from the transcript's own folder; else the flow of the same name, x.yaml for x.transcript.
func FlowOf(path, text string) string {
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, settingMark+"flow "); ok {
			return filepath.Join(filepath.Dir(path), strings.TrimSpace(name))
		}
	}
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml"
}
