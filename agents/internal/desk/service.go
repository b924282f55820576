package desk

import (
	"context"

	"github.com/progressive-framework/platform/agents/internal/httpserver"
	"github.com/progressive-framework/platform/agents/internal/process"
)

// Service is an agent's service that is adjusted and closed with its desk.
//
// Readiness asks no dependency: without PostgreSQL a plan is not kept, without
// Redis it is made again; both can be done without.
type Service struct {
	process.Service
	front *Front
}

// Serve returns the service of an agent that answers at this desk.
func (f *Front) Serve(agent process.Service) *Service { return &Service{agent, f} }

// Adjust is process.Adjuster's.
func (s *Service) Adjust(cfg *httpserver.Config) { s.front.backing.Observe(cfg) }

// Close is process.Closer's.
func (s *Service) Close(ctx context.Context) error { return s.front.Close(ctx) }
