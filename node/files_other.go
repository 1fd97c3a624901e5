//go:build !unix

package node

func maxFiles() uint64 { return unknownFiles }
