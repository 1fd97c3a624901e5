package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/wactor/wactor/admin"
	"github.com/wactor/wactor/internal/freeport"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestAdminErrors: the error says whether the address or the token is wrong.
func TestAdminErrors(t *testing.T) {
	listen := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	path, handler := admin.New(admin.Options{Gate: admin.NewGate([]admin.Credential{
		{Principal: admin.Principal{Name: "admin", Role: wactorv1.Role_ROLE_ADMIN}, Token: "the right token"},
	}, slog.New(slog.DiscardHandler)), Logger: slog.New(slog.DiscardHandler)}).Handler()
	mux := http.NewServeMux()
	mux.Handle(path, handler)
	guarded, webhooks := listen(mux), listen(http.NotFoundHandler())
	page := listen(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	for _, c := range []struct{ args, want string }{
		{"--admin " + guarded, "asks for its admin token: give --token-file"},
		{"--admin " + guarded + " --token bad", "rejects the admin token of --token"},
		{"--admin " + webhooks, "(404 Not Found): --admin is the node's listen.admin"},
		{"--admin " + page, "--admin is the node's listen.admin"},
		{"--admin " + freeport.Address(t), "no node answers at"},
	} {
		for _, command := range []string{"cluster status", "trace 1", "conversations dead-letters 1",
			"cluster drain node-1"} {
			_, problems, code := runMain(t, t.TempDir(), append(strings.Fields(command), strings.Split(c.args,
				" ")...)...)
			if code != 1 || !strings.Contains(problems, c.want) || strings.Count(problems, "\n") != 1 {
				t.Errorf("wactor %s %s: exit status %d, %s", command, c.args, code, problems)
			}
		}
	}
	if _, problems, code := runMain(t, t.TempDir(), "cluster", "status", "--admin", guarded, "--token",
		"the right token"); code != 1 ||
		!strings.HasPrefix(problems, "wactor: this node stays alone") {
		t.Errorf("a node alone: exit status %d, %s", code, problems)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("the right token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		file: "wactor: this node stays alone", file + ".none": "--token-file: open", os.DevNull: "is empty",
	} {
		_, problems, code := runMain(t, t.TempDir(), "cluster", "status", "--admin", guarded, "--token-file", args)
		if code != 1 || !strings.Contains(problems, want) {
			t.Errorf("--token-file %s: exit status %d, %s", args, code, problems)
		}
	}
}

// TestJSONIsWhole: what is printed for machines holds zeros, enums as words, and times as RFC 3339
// beside their milliseconds; no message has a field of that name already.
func TestJSONIsWhole(t *testing.T) {
	var out strings.Builder
	trace := &wactorv1.TraceResponse{Conversations: []*wactorv1.ConversationTrace{{Waiting: []*wactorv1.Waiting{{
		For: wactorv1.WaitsFor_WAITS_FOR_BOT, SinceMs: 1764522000123,
	}}}}}
	if err := printJSON(&out, trace); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Conversations []struct {
			Outbox  *int
			Entries []any
			Waiting []struct{ For, Since, SinceMs, AgainMs string }
		}
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	c := got.Conversations[0]
	if w := c.Waiting[0]; c.Outbox == nil || c.Entries == nil || w.For != "WAITS_FOR_BOT" ||
		w.Since != "2025-11-30T17:00:00.123Z" || w.SinceMs != "1764522000123" || w.AgainMs != "0" {
		t.Errorf("printed %s", out.String())
	}
	for _, file := range []protoreflect.FileDescriptor{wactorv1.File_wactor_v1_admin_proto,
		wactorv1.File_wactor_v1_message_proto, wactorv1.File_wactor_v1_store_proto} {
		for i := range file.Messages().Len() {
			fields := file.Messages().Get(i).Fields()
			for j := range fields.Len() {
				plain, isTime := strings.CutSuffix(string(fields.Get(j).Name()), "_ms")
				if isTime && fields.ByName(protoreflect.Name(plain)) != nil {
					t.Errorf("%s has %s and %s_ms", file.Messages().Get(i).Name(), plain, plain)
				}
			}
		}
	}
}
