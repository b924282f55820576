// Command kubescore runs kube-score on objects of Kubernetes. It reads them from recordings of
// the policy pack's tests, or from the output of kubectl get -o json. It prints each finding of
// grade CRITICAL that has no exemption, and exits with 1 if there is one.
//
// kubescore has its own Go module, because kube-score needs an older API of Kubernetes.
package main

import (
	"fmt"
	"os"
)

func main() {
	faults, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubescore:", err)
		os.Exit(2)
	}
	for _, f := range faults {
		fmt.Println(f)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// run reads all files and returns the CRITICAL findings that have no exemption.
func run(files []string) ([]finding, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("no file: name recordings, outputs of kubectl get -o json, or -")
	}
	var findings []finding
	for _, file := range files {
		objects, err := readObjects(file)
		if err != nil {
			return nil, err
		}
		result, err := grade(objects)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if result.grades == 0 {
			return nil, fmt.Errorf("%s: kube-score graded none of %d objects", file, len(objects))
		}
		notExempt, _ := applyExemptions(result.critical, exemptions)
		findings = append(findings, notExempt...)
	}
	return findings, nil
}
