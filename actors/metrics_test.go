package actors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/provider"
)

// TestSendsBeginAtZero holds that each outcome of a send is a series before the first send.
func TestSendsBeginAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newMetrics(nil, nil)
	registry.MustRegister(m.sends)
	m.of("shop", "orders")
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	got, want := map[string]float64{}, map[string]float64{}
	for _, series := range families[0].GetMetric() {
		for _, label := range series.GetLabel() {
			if label.GetName() == "outcome" {
				got[label.GetValue()] = series.GetCounter().GetValue()
			}
		}
	}
	for o := provider.Sent; !strings.HasPrefix(o.String(), "Outcome("); o++ {
		want[o.String()] = 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
