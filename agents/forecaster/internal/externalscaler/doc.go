// Package externalscaler is KEDA's gRPC protocol of external scalers. The files are those of
// github.com/kedacore/keda v2.20.2, pkg/scalers/externalscaler (Apache-2.0), unchanged. KEDA's module
// is not required, because its replaced dependencies would apply to nobody else.
package externalscaler
