package machine

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// Ports gives out free ports of the loopback address, each once. They lie below those that the
// kernel gives to outgoing connections, so that a server that is started again finds its port free.
type Ports struct {
	mu    sync.Mutex
	given map[int]bool
}

const firstPort, lastPort = 20000, 31999

var errNoPort = errors.New("machine: no port is free")

// Free returns a port.
func (p *Ports) Free() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == nil {
		p.given = map[int]bool{}
	}
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if p.given[port] {
			continue
		}
		listener, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		_ = listener.Close()
		p.given[port] = true
		return port, nil
	}
	return 0, errNoPort
}

// Loopback is the address of a port.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Listens says whether a process takes connections at an address.
func Listens(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
