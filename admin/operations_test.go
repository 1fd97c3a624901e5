package admin

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// TestEveryMethodIsAnOperation: a method of AdminService without a role, a scope or an entry in the
// registry would be one that no caller may use, or that is not guarded.
func TestEveryMethodIsAnOperation(t *testing.T) {
	methods := adminService.Methods()
	for i := range methods.Len() {
		name := string(methods.Get(i).Name())
		o := operations[name]
		switch {
		case o == nil:
			t.Errorf("%s has no entry in operations.go", name)
		case o.rule.GetRole() == wactorv1.Role_ROLE_UNSPECIFIED:
			t.Errorf("%s names no role in its option (wactor.v1.operation)", name)
		case o.rule.GetScope() == wactorv1.Scope_SCOPE_UNSPECIFIED:
			t.Errorf("%s names no scope in its option (wactor.v1.operation)", name)
		case o.write && o.rule.GetRole() == wactorv1.Role_ROLE_VIEWER:
			t.Errorf("%s writes, and a viewer may call it", name)
		}
		if o == nil || o.rule.GetScope() != wactorv1.Scope_SCOPE_CONVERSATION {
			continue
		}
		for _, field := range []string{"user", "channel"} {
			if methods.Get(i).Input().Fields().ByName(protoreflect.Name(field)) == nil {
				t.Errorf("%s is of scope conversation, and its request has no field %s", name, field)
			}
		}
	}
	if len(operations) != methods.Len() {
		t.Errorf("%d operations, %d methods", len(operations), methods.Len())
	}
}

func TestRolesAllowWhatTheyName(t *testing.T) {
	const (
		viewer, operator = wactorv1.Role_ROLE_VIEWER, wactorv1.Role_ROLE_OPERATOR
		privacy, sender  = wactorv1.Role_ROLE_PRIVACY, wactorv1.Role_ROLE_SENDER
		admin            = wactorv1.Role_ROLE_ADMIN
	)
	may := map[wactorv1.Role][]wactorv1.Role{
		0: nil, viewer: {viewer}, operator: {viewer, operator, sender}, privacy: {viewer, privacy}, sender: {sender},
		admin: {viewer, operator, privacy, sender, admin},
	}
	for role, allowed := range may {
		for needed := range wactorv1.Role(len(wactorv1.Role_name)) {
			want := false
			for _, a := range allowed {
				want = want || a == needed
			}
			if got := (Principal{Role: role}).May(needed); got != want {
				t.Errorf("%s where %s is needed: %v", RoleName(role), RoleName(needed), got)
			}
		}
	}
}

// recorder remembers who changed what.
type recorder struct{ changes []string }

func (r *recorder) Operate(_ context.Context, id conversation.ID, by string, request proto.Message) error {
	r.changes = append(r.changes, by+" "+id.String()+" "+string(request.ProtoReflect().Descriptor().Name()))
	return nil
}

// TestCallersMayDoWhatTheirRoleAllows: over HTTP, as clients call.
func TestCallersMayDoWhatTheirRoleAllows(t *testing.T) {
	var log bytes.Buffer
	changes := &recorder{}
	s := service(heads{}, changes)
	s.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s.options.Gate = NewGate([]Credential{
		{Principal{"ana", wactorv1.Role_ROLE_OPERATOR}, "token-of-ana"},
		{Principal{"grafana", wactorv1.Role_ROLE_VIEWER}, "token-of-grafana"},
	}, s.options.Logger)
	mux := http.NewServeMux()
	mux.Handle(s.Handler())
	server := httptest.NewServer(mux)
	defer server.Close()
	client := wactorv1connect.NewAdminServiceClient(server.Client(), server.URL)
	skip := func(token string) error {
		request := connect.NewRequest(&wactorv1.SkipRequest{User: "4915", Channel: "shop", Seq: 3})
		request.Header().Set("Authorization", "Bearer "+token)
		_, err := client.Skip(t.Context(), request)
		return err
	}
	if err := skip("token-of-grafana"); connect.CodeOf(err) != connect.CodePermissionDenied ||
		!strings.Contains(err.Error(), "Skip needs the role operator, and grafana has the role viewer") {
		t.Errorf("a viewer skips: %v", err)
	}
	if err := skip("token-of-ana"); err != nil {
		t.Errorf("an operator skips: %v", err)
	}
	if got := strings.Join(changes.changes, "; "); got != "ana shop/4915 SkipRequest" {
		t.Errorf("changes %q", got)
	}
	want := `operation=Skip principal=ana channel=shop conversation=c0ffee seq=3`
	if !strings.Contains(log.String(), want) || strings.Contains(log.String(), "4915") {
		t.Errorf("log %s", log.String())
	}
	trace := connect.NewRequest(&wactorv1.TraceRequest{User: "4915"})
	trace.Header().Set("Authorization", "Bearer token-of-grafana")
	if _, err := client.Trace(t.Context(), trace); err != nil {
		t.Errorf("a viewer traces: %v", err)
	}
}
