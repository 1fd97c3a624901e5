package gossip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// lookupLimit is how long one name may take.
const lookupLimit = 5 * time.Second

// gossipPort is that of addresses without one.
const gossipPort = 7946

// target is an address to look for others at. A name may stand for several.
type target struct {
	host string
	port uint16
}

func (t target) String() string { return net.JoinHostPort(t.host, strconv.Itoa(int(t.port))) }

// parseTarget takes a name or an IP address, with or without a port.
func parseTarget(text string) (target, error) {
	if _, err := netip.ParseAddr(text); err == nil {
		return target{text, gossipPort}, nil
	}
	if !strings.Contains(text, ":") {
		text = net.JoinHostPort(strings.Trim(text, "[]"), strconv.Itoa(gossipPort))
	}
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return target{}, fmt.Errorf("gossip: address %q: want host or host:port", text)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 || host == "" || strings.ContainsAny(host, "/ ") {
		return target{}, fmt.Errorf("gossip: address %q: want host or host:port", text)
	}
	return target{host, uint16(port)}, nil
}

// addresses resolves names, which the library does not: it would listen at all addresses for one.
// The advertised address is the zero one where the library should find it, and its port 0 where it
// is that of the listener.
func (o Options) addresses() (bind, advertise netip.AddrPort, err error) {
	if bind, err = resolveLocal(o.Bind, "0.0.0.0"); err != nil {
		return bind, advertise, err
	}
	if o.Advertise == "" {
		if bind.Addr() == netip.IPv6Unspecified() {
			return bind, advertise, fmt.Errorf("gossip: gossip at %v: say in advertise at which address others "+
				"reach it", bind)
		}
		return bind, advertise, nil
	}
	text := o.Advertise
	if t, err := parseTarget(text); err == nil && !hasPort(text) {
		text = net.JoinHostPort(t.host, "0")
	}
	if advertise, err = resolveLocal(text, ""); err == nil && advertise.Addr().IsUnspecified() {
		err = fmt.Errorf("gossip: advertise %q: no node can reach that", o.Advertise)
	}
	return bind, advertise, err
}

func hasPort(text string) bool {
	_, _, err := net.SplitHostPort(text)
	return err == nil
}

// resolveLocal resolves host:port, IPv4 first. The host may be left out where there is one to take
// instead.
func resolveLocal(text, instead string) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("gossip: gossip address %q: want host:port", text)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if host == "" {
		host = instead
	}
	if err != nil || host == "" {
		return netip.AddrPort{}, fmt.Errorf("gossip: gossip address %q: want host:port", text)
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
		defer cancel()
		found, err := lookup(ctx, host)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("gossip: gossip address %q: %w", text, err)
		}
		address = found[0]
		for _, candidate := range found {
			if candidate.Unmap().Is4() {
				address = candidate
				break
			}
		}
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}

// lookup returns at least one address, or an error.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func addressOf(n *memberlist.Node) netip.AddrPort {
	address, _ := netip.AddrFromSlice(n.Addr) // an address that is none is the zero one, which no node calls
	return netip.AddrPortFrom(address.Unmap(), n.Port)
}

// withHost completes an address that says no host, or any, as listeners have it.
func withHost(address string, host netip.Addr) string {
	said, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip, err := netip.ParseAddr(said); said == "" || err == nil && ip.IsUnspecified() {
		return net.JoinHostPort(host.String(), port)
	}
	return address
}

// WithHost completes an address without a host, or with any, by that of this node's gossip.
func (m *Membership) WithHost(address string) string { return withHost(address, m.address.Addr()) }
