package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Principal is who calls, by the token that was shown.
type Principal struct {
	// Name stands in the journal of what the principal changes, and in the log.
	Name string
	// Role says what the principal may do.
	Role wactorv1.Role
}

// May reports whether the principal may call what needs a role.
func (p Principal) May(needed wactorv1.Role) bool {
	switch {
	case needed == wactorv1.Role_ROLE_UNSPECIFIED:
		return false
	case p.Role == wactorv1.Role_ROLE_ADMIN, p.Role == needed:
		return true
	case needed == wactorv1.Role_ROLE_SENDER:
		return p.Role == wactorv1.Role_ROLE_OPERATOR
	case needed == wactorv1.Role_ROLE_VIEWER:
		return p.Role == wactorv1.Role_ROLE_OPERATOR || p.Role == wactorv1.Role_ROLE_PRIVACY
	}
	return false
}

// RoleName is a role in the words of the configuration, such as viewer.
func RoleName(role wactorv1.Role) string {
	return strings.ToLower(strings.TrimPrefix(role.String(), "ROLE_"))
}

// RoleOf is the role of a word of the configuration; unspecified, which may do nothing, for others.
func RoleOf(name string) wactorv1.Role {
	return wactorv1.Role(wactorv1.Role_value["ROLE_"+strings.ToUpper(name)])
}

// Credential is a token and who shows it.
type Credential struct {
	Principal
	Token string
}

// local is who calls where no token is asked for: any program on this machine.
var local = Principal{Name: "local", Role: wactorv1.Role_ROLE_ADMIN}

type principalKey struct{}

func withPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// principalOf is who makes a call; one without a name, who may do nothing, where none was found.
func principalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// identify finds who shows a token. Each comparison takes the same time, whatever was given.
func identify(credentials []Credential, token string) (found Principal, ok bool) {
	given := sha256.Sum256([]byte(token))
	for _, c := range credentials {
		want := sha256.Sum256([]byte(c.Token))
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 {
			found, ok = c.Principal, true
		}
	}
	return found, ok
}
