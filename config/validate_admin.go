package config

import (
	"maps"
	"slices"
)

// validate reports short tokens, unknown roles, and principals that share a token.
func (a *Admin) validate(r *report, listen string) {
	tokens := map[string]string{}
	a.validateToken(r, "admin.token", a.Token, tokens)
	for _, name := range slices.Sorted(maps.Keys(a.Principals)) {
		path, p := child("admin.principals", name), a.Principals[name]
		r.name(path, name)
		if name == AdminPrincipal {
			r.add(path, "choose another name", "is the name of who shows admin.token")
		}
		r.oneOf(child(path, "role"), p.Role, Roles...)
		r.required(child(path, "token"), p.Token.Empty(), "make one with: openssl rand -hex 32")
		a.validateToken(r, child(path, "token"), p.Token, tokens)
	}
	if len(tokens) == 0 && !r.isFaulty("admin") && !r.isFaulty("listen.admin") && !Loopback(listen) {
		r.add("admin.token", `set admin: { token: "${WACTOR_ADMIN_TOKEN}" }, or listen on 127.0.0.1`,
			"is required, since listen.admin %s can be reached from other machines", r.quote("listen.admin", listen))
	}
}

// validateToken reports a token that is short, or that stands twice; tokens holds those before it,
// with their places.
func (a *Admin) validateToken(r *report, path string, token Secret, tokens map[string]string) {
	text := token.Reveal()
	if text == "" {
		return
	}
	if len(text) < minToken {
		r.add(path, "make one with: openssl rand -hex 32", "is shorter than %d characters", minToken)
	}
	if before := tokens[text]; before != "" {
		r.add(path, "make one with: openssl rand -hex 32", "is the token of %s too", before)
	}
	tokens[text] = path
}
