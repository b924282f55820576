// Command benchprediction compares the predictive scaler with HPAs over recorded loads:
//
//	go run ./forecast/benchprediction -traces DIR
//
// It prints the tables of docs/prediction.md. All figures except the times are the same in each run.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/progressive-framework/platform/forecast/backtest"
)

func main() {
	folder := flag.String("traces", "", "the folder of CSV files with the columns unix_seconds,load")
	figuresFile := flag.String("json", "", "also write the figures to this file, as JSON")
	flag.Parse()
	if err := compare(*folder, *figuresFile); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// compare compares the controllers on the traces in a folder and prints the report. If figuresFile
// is not empty, it also writes the figures to this file.
func compare(folder, figuresFile string) error {
	traces, err := backtest.ReadTraces(folder)
	if err != nil {
		return err
	}
	report := backtest.Run(traces, runtime.GOMAXPROCS(0))
	if err := errors.Join(report.Print(os.Stdout), report.PrintTimes(os.Stdout)); err != nil {
		return err
	}
	if figuresFile == "" {
		return nil
	}
	figures, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return os.WriteFile(figuresFile, append(figures, '\n'), 0o644)
}
