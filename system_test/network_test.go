//go:build linux

package system_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A network is a router, and around it the nodes with a link each; the load has one, too, and lives
// where the test does:
//
//	node-1 10.77.0.1 ──┐
//	node-2 10.77.0.2 ──┤ router ── 10.77.0.100 load, balancer, fake Graph API, this test
//	node-3 10.77.0.3 ──┘
//
// A router instead of a bridge, because a router can be configured to drop packets by `ip rule`,
// which every kernel with policy routing and every iproute2 has: packets from one node to another,
// or only those of a port. They vanish in silence, half-way, as in a broken network. Refused were
// nftables and iptables (another package, and modules of the kernel), tc filters (modules that many
// kernels lack), and black holes in the nodes' own routes (the sender gets an error at once, which
// no broken network is so kind to give).
type network struct {
	mu       sync.Mutex
	hosts    map[string]string // address by node
	priority int               // of the newest rule
}

const (
	loadAddress   = "10.77.0.100"
	routerAddress = "10.77.0.254"
	everything    = "10.77.0.0/24"
	router        = "router"
	loadLink      = "load"
)

// newNetwork makes a network without nodes. It is taken away with the test.
func newNetwork(t *testing.T) *network {
	t.Helper()
	needSandbox(t)
	n := &network{hosts: map[string]string{}, priority: firstPriority}
	t.Cleanup(n.remove)
	run(t, exec.Command("ip", "netns", "add", router))
	run(t, inside(router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
	batch(t, "", fmt.Sprintf(`
link set lo up
link add %[1]s type veth peer name %[1]s netns %[2]s
address add %[3]s/32 dev %[1]s
link set %[1]s up`, loadLink, router, loadAddress))
	n.route(t, "", loadLink, loadLink, loadAddress)
	return n
}

// attach adds a node with the address 10.77.0.<host>, and returns the address.
func (n *network) attach(t *testing.T, name string, host int) string {
	t.Helper()
	address := fmt.Sprintf("10.77.0.%d", host)
	run(t, exec.Command("ip", "netns", "add", name))
	n.mu.Lock()
	n.hosts[name] = address
	n.mu.Unlock()
	batch(t, router, fmt.Sprintf("link add %s type veth peer name eth0 netns %[1]s", name))
	batch(t, name, fmt.Sprintf("link set lo up\naddress add %s/32 dev eth0\nlink set eth0 up", address))
	n.route(t, name, "eth0", name, address)
	return address
}

// route makes the two ends of a link know each other.
func (n *network) route(t *testing.T, namespace, device, peer, address string) {
	t.Helper()
	batch(t, router, fmt.Sprintf("link set %s up\naddress add %s/32 dev %[1]s\nroute add %[3]s dev %[1]s", peer,
		routerAddress, address))
	batch(t, namespace, fmt.Sprintf("route add %s dev %s\nroute add %s via %[1]s", routerAddress, device, everything))
}

// remove takes the network away. The sandbox would do so at its end; the next test needs the names.
func (n *network) remove() {
	_ = exec.Command("ip", "link", "del", loadLink).Run()
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.hosts {
		_ = exec.Command("ip", "netns", "del", name).Run()
	}
	_ = exec.Command("ip", "netns", "del", router).Run()
}

// inside returns a command that runs in a namespace. `ip netns exec` was refused: it remounts /sys,
// which users without root may not, and gives each process its own mounts.
func inside(namespace, name string, args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/run/netns/" + namespace, name}, args...)...)
}

// batch runs lines of `ip` in a namespace; "" is that of the test.
func batch(t *testing.T, namespace, lines string) {
	t.Helper()
	var args []string
	if namespace != "" {
		args = []string{"-n", namespace}
	}
	command := exec.Command("ip", append(args, "-batch", "-")...)
	command.Stdin = strings.NewReader(strings.TrimSpace(lines) + "\n")
	run(t, command)
}

// run runs a command of the harness and returns what it printed.
func run(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(command.Args, " "), err, strings.TrimSpace(problems.String()))
	}
	return out.String()
}
