package config

import (
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Clustered reports whether a node listens for others.
func (c *Cluster) Clustered() bool { return len(c.Secret) > 0 || c.asked() }

// asked reports whether a configuration speaks of other nodes, with or without a secret.
func (c *Cluster) asked() bool {
	return len(c.Join) > 0 || c.Expect > 1 || c.Gossip != defaultGossip || c.RPC != defaultRPC || c.Advertise != "" ||
		c.TLS != nil
}

func (c *Cluster) validate(r *report) {
	r.between("cluster.shards", c.Shards, 1, 4096)
	r.address("cluster.gossip", c.Gossip)
	r.address("cluster.rpc", c.RPC)
	for i, address := range c.Join {
		c.validateJoin(r, element("cluster.join", i), address)
	}
	r.between("cluster.expect", c.Expect, 1, 1000)
	r.durationBetween("cluster.replace_after", c.ReplaceAfter, 10*time.Second, 30*day)
	r.oneOf("cluster.finalize", c.Finalize, "auto", "manual")
	if c.Replicas < 1 || c.Replicas > 7 || c.Replicas%2 == 0 {
		r.add("cluster.replicas", "write 3; one more replica than an odd number makes no failure survivable",
			"must be 1, 3, 5 or 7, not %s",
			r.show("cluster.replicas", strconv.Itoa(c.Replicas)))
	}
	c.validateTrust(r)
}

// validatePorts: each listener needs a port of its own.
func (c *Config) validatePorts(r *report) {
	type listener struct{ path, address string }
	listeners := []listener{{"listen.http", c.Listen.HTTP}, {"listen.admin", c.Listen.Admin}}
	if c.Cluster.Clustered() {
		listeners = append(listeners, listener{"cluster.gossip", c.Cluster.Gossip}, listener{"cluster.rpc",
			c.Cluster.RPC})
	}
	for i, later := range listeners {
		for _, before := range listeners[:i] {
			if clash(before.address, later.address) {
				r.add(later.path, "give it a port of its own", "takes the port of %s", before.path)
			}
		}
	}
}

// clash reports whether two listeners can't have their addresses both.
func clash(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && portA == portB && portA != "0" && (covers(hostA, hostB) ||
		covers(hostB, hostA))
}

// covers reports whether a listener on one host takes the port on another as well.
func covers(host, other string) bool {
	switch host {
	case other, "", "::":
		return true
	case "0.0.0.0":
		return !strings.Contains(other, ":")
	}
	return false
}

// validateJoin: a host, with or without a port.
func (c *Cluster) validateJoin(r *report, path, address string) {
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil && net.ParseIP(address) != nil, err != nil && nodeName.MatchString(address):
	case err != nil || host == "":
		r.add(path, `write one such as "10.0.0.1:7946" or "wactor.internal"`, "%s is no address of a node",
			r.quote(path, address))
	default:
		r.address(path, net.JoinHostPort("", port))
	}
}

// validateTrust reports a node that others can reach, and that has no secret to know them by.
func (c *Cluster) validateTrust(r *report) {
	for i, secret := range c.Secret {
		path := "cluster.secret"
		if len(c.Secret) > 1 {
			path = element(path, i)
		}
		// as trust.NewSecrets counts
		if utf8.RuneCountInString(strings.TrimSpace(secret.Reveal())) < minToken {
			r.add(path, "make one with: openssl rand -hex 32", "is shorter than %d characters", minToken)
		}
	}
	if t := c.TLS; t != nil {
		r.required("cluster.tls.cert", t.Cert == "", "name a PEM file")
		r.required("cluster.tls.key", t.Key == "", "name a PEM file")
		r.required("cluster.tls.ca", t.CA == "", "name a PEM file")
	}
	if len(c.Secret) > 0 || !c.asked() || r.isFaulty("cluster.gossip") || r.isFaulty("cluster.rpc") {
		return
	}
	for _, listen := range []struct{ path, address string }{{"cluster.gossip", c.Gossip}, {"cluster.rpc", c.RPC}} {
		if !Loopback(listen.address) {
			r.add("cluster.secret", `set cluster: { secret: "${WACTOR_SECRET}" } to the same on all nodes, made with: openssl rand -hex 32; or listen on 127.0.0.1`,
				"is required, since %s %s can be reached from other machines", listen.path, r.quote(listen.path,
					listen.address))
			return
		}
	}
}
