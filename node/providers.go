package node

import (
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/graph"
)

// kind is a provider: its word in the configuration, its keys of a channel, which know their codec,
// its sender, and its files.
type kind struct {
	name     string
	settings func() provider.Settings
	sender   func(provider.Settings, provider.Signs) provider.Sender
	// files is nil where the provider has none.
	files func(provider.Settings) provider.Files
}

// providers has one line for each kind of channel (docs/providers.md).
var providers = []kind{
	{cloudapi.Name, cloudapi.NewSettings, graph.ForChannel, graph.FilesForChannel},
}

// Kinds are the providers as the configuration knows them.
func Kinds() config.Kinds {
	kinds := make(config.Kinds, len(providers))
	for i, p := range providers {
		kinds[i] = config.Kind{Name: p.name, Settings: p.settings}
	}
	return kinds
}

// providerOf returns a channel's provider; false where there is none of that name.
func providerOf(c *config.Channel) (kind, bool) {
	for _, p := range providers {
		if p.name == c.Provider && c.Settings != nil {
			return p, true
		}
	}
	return kind{}, false
}
