//go:build !linux

package system_test

import "testing"

func TestSystem(t *testing.T) { t.Skip("not possible here: network namespaces need Linux") }
