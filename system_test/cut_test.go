//go:build linux

package system_test

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Ports by which nodes speak to each other.
const (
	gossipPort = 7946
	rpcPort    = 7947
)

// A cut is what the router drops: packets from one node to another, all of them or, with a port,
// those of TCP and UDP that come from the port or go to it.
type cut struct {
	from, to string
	port     int
}

// oneWay cuts what one node sends to another. What the other sends still arrives, but what it
// receives of it does not.
func oneWay(from, to string) []cut { return []cut{{from: from, to: to}} }

// between cuts two nodes from each other. With a third that reaches both it is a bridge.
func between(a, b string) []cut { return []cut{{from: a, to: b}, {from: b, to: a}} }

// around cuts a node from all others, while the provider still reaches it, and it the provider: a
// node that assumes to be leader would take webhooks and send replies.
func around(node string, others []string) []cut {
	var cuts []cut
	for _, other := range others {
		if other != node {
			cuts = append(cuts, between(node, other)...)
		}
	}
	return cuts
}

// only limits cuts to a port.
func only(port int, cuts []cut) []cut {
	limited := make([]cut, len(cuts))
	for i, c := range cuts {
		limited[i] = cut{from: c.from, to: c.to, port: port}
	}
	return limited
}

// Rules of the network have priorities between these; the kernel's own are 0 and above 32000.
const firstPriority, lastPriority = 1000, 30000

// cut makes the router drop packets, besides those that it drops already.
func (n *network) cut(t *testing.T, cuts []cut) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var rules strings.Builder
	for _, c := range cuts {
		for _, selector := range c.selectors() {
			n.priority++
			fmt.Fprintf(&rules, "rule add priority %d iif %s to %s %s blackhole\n", n.priority, c.from, n.hosts[c.to],
				selector)
		}
	}
	batch(t, router, rules.String())
}

func (c cut) selectors() []string {
	if c.port == 0 {
		return []string{""}
	}
	var selectors []string
	for _, protocol := range []string{"tcp", "udp"} {
		for _, side := range []string{"sport", "dport"} {
			selectors = append(selectors, fmt.Sprintf("ipproto %s %s %d", protocol, side, c.port))
		}
	}
	return selectors
}

// heal undoes all cuts. It asks the kernel which there are, so that it is complete also after a cut
// that failed half-way, and does nothing where there are none.
func (n *network) heal(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	var rules strings.Builder
	for line := range strings.Lines(run(t, exec.Command("ip", "-n", router, "rule", "show"))) {
		priority, _, _ := strings.Cut(line, ":")
		if number, err := strconv.Atoi(priority); err == nil && number >= firstPriority && number <= lastPriority {
			fmt.Fprintf(&rules, "rule del priority %d\n", number)
		}
	}
	batch(t, router, rules.String())
	n.priority = firstPriority
}

// slow delays all packets from and to the nodes. It says why where the kernel can't.
func (n *network) slow(t *testing.T, delay, jitter, loss string) error {
	t.Helper()
	for name := range n.hosts {
		out, err := exec.Command("tc", "-n", router, "qdisc", "replace", "dev", name, "root", "netem", "delay", delay,
			jitter, "loss", loss).CombinedOutput()
		if err != nil {
			return fmt.Errorf("tc netem: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
