package memory_test

import (
	"testing"

	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/memory"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

func TestGroup(t *testing.T) {
	storetest.RunGroup(t, func(*testing.T) store.Store { return memory.New() })
}
