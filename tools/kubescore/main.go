// Command kubescore runs kube-score on the objects of Kubernetes in recordings of the
// policy pack's tests, or in the output of kubectl get -o json. It prints each CRITICAL
// that is not argued away by name, and exits with 1 if there is one.
//
// It is a module of its own: kube-score needs an older API of Kubernetes.
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

// run returns the CRITICALs of the files' objects that nobody has argued away.
func run(files []string) ([]finding, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("no file: name recordings, outputs of kubectl get -o json, or -")
	}
	var faults []finding
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
		open, _ := unanswered(result.critical, arguments)
		faults = append(faults, open...)
	}
	return faults, nil
}
