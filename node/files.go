package node

// unknownFiles is assumed where the system has no limit that can be read.
const unknownFiles = 4096

// Parts of the files that a process may open: the public listener takes half and the admin listener
// an eighth. What is left is for the store, other nodes, the provider and bots.
const (
	publicPart, adminPart = 2, 8
	// mostConnections is enough for any balancer, and bounds the memory of idle connections.
	mostConnections = 16384
)

// connectionsOf is how many connections a listener may have.
func connectionsOf(files, part uint64) int { return int(min(max(files/part, 8), mostConnections)) }
