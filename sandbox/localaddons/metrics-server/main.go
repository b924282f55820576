// Metrics-server serves the resource metrics API (metrics.k8s.io) that
// `kubectl top` and HorizontalPodAutoscalers read. It is the command of
// sigs.k8s.io/metrics-server, unchanged. It has a package here because images
// are built from commands of this module.
package main

import (
	"os"

	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/logs"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

func main() {
	logs.InitLogs()
	err := app.NewMetricsServerCommand(genericapiserver.SetupSignalHandler()).Execute()
	logs.FlushLogs()
	if err != nil {
		os.Exit(1) // cobra has printed the error
	}
}
