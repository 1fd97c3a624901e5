package system

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wactor/wactor/bench/store"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider/cloudapi"
)

func TestNeeds(t *testing.T) {
	if got := Needs([]string{"memory", "redislock", "occ", "wactor"}); !slices.Equal(got, []store.Kind{store.Redis,
		store.Postgres}) {
		t.Error(got)
	}
	for _, name := range Names() {
		if Promises(name) == "" {
			t.Error(name)
		}
	}
}

// TestConfig loads the configurations of one node and of three with Wactor's own reader.
func TestConfig(t *testing.T) {
	flow, err := filepath.Abs("../../examples/counter/flow.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := &Running{options: Options{Graph: "127.0.0.1:1", PhoneNumberID: "100000000000001", AppSecret: "secret",
		AccessToken: "token", Flow: flow}}
	nodes := []node{{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"}, {"127.0.0.1:5", "127.0.0.1:6",
		"127.0.0.1:7", "127.0.0.1:8"}}
	path := filepath.Join(t.TempDir(), "node.yaml")
	if err := os.WriteFile(path, []byte(r.config(nodes[:1], 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(path, os.LookupEnv,
		config.Kinds{{Name: cloudapi.Name, Settings: cloudapi.NewSettings}})
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Listen.HTTP != nodes[0].http || loaded.Cluster.Expect != 1 || !loaded.Channels[0].Pace.Off {
		t.Errorf("%+v", loaded)
	}
}
