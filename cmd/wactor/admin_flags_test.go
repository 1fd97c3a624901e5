package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
