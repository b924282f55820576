package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/progressive-framework/platform/ops/stackoutput"
	"github.com/progressive-framework/platform/policy/stackconfig"
	"github.com/progressive-framework/platform/release/attest"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/record"
	"github.com/progressive-framework/platform/release/signkey"
)

// checkGates checks all gates, and returns the result of each gate. It returns an error only for an
// error of the command line or of the project.
func (p promotion) checkGates(ctx context.Context, file *record.File, sourceOutputs stackoutput.Outputs, r *record.Record, key signkey.Key) (results gateResults, err error) {
	results.required = file.RequiredGates
	for _, name := range p.without {
		if slices.Contains(file.RequiredGates, gate.Name(name)) {
			return results, fmt.Errorf("--without is %q: %s requires that gate (images.requiredGates)", name, fileName(p.to))
		}
		results.without = append(results.without, gate.Name(name))
	}
	migrations, err := newMigrationChecker(ctx, p.project, p.to, p.approvalsFile, p.now)
	if err != nil {
		return results, err
	}
	budget, err := p.readMonthlyBudget(p.to)
	if err != nil {
		return results, err
	}
	stack := &stackoutput.Stack{Name: p.from, Dir: p.dir}
	migrateCommit, err := p.verifyImages(ctx, file, r, key)
	results.addResult(gate.Signatures, err, "%d images with provenance and SBOM", len(r.Images))

	history, err := stack.ReadHistory(ctx)
	var update stackoutput.Update
	if err == nil {
		update, err = lastUpdate(history)
	}
	if age := p.now.Sub(update.Ended); err == nil && age < p.bakeTime {
		err = fmt.Errorf("the last update of %s ended %s ago, must be %s: wait, or use --bake", p.from, age.Round(time.Second), p.bakeTime)
	}
	results.addResult(gate.BakeTime, err, "the last update of %s %s", p.from, describeUpdate(update, r.Commit))

	clients, clientErr := newPodClients(sourceOutputs)
	sources, err := findAlarmSources(ctx, stack, clients, sourceOutputs.Namespace, p.readRegion())
	sourceCount := 0
	if err == nil {
		sourceCount, err = checkAlarms(ctx, sources, update.Ended)
	}
	results.addEvidence(gate.Alarms, err, "%d sources, none since the last update", sourceCount)

	containers, err := 0, clientErr
	if err == nil {
		containers, err = checkPods(ctx, clients.Kubernetes, sourceOutputs.Namespace, r.Repository, r.Images)
	}
	results.addEvidence(gate.Pods, err, "%d containers in %s run these digests", containers, sourceOutputs.Namespace)

	if p.loadReportFile == "" {
		results.addMissing(gate.LoadTest, "no --load-report")
	} else {
		var report loadReport
		err := readEvidence(p.loadReportFile, &report)
		if err == nil {
			err = checkLoad(report, sourceOutputs.URL, sourceOutputs.Images, update.Ended)
		}
		results.addResult(gate.LoadTest, err, "of %s, %d images, every limit was kept", report.Started.UTC().Format(time.RFC3339), len(report.Images))
	}
	p.checkTarget(ctx, &results, r, budget)

	summary := ""
	deployedCommit, err := p.readDeployedCommit(ctx, p.to, file)
	if err == nil {
		summary, err = migrations.checkAdditions(ctx, deployedCommit, migrateCommit, r.Commit)
	}
	results.addResult(gate.Migrations, err, "%s", summary)
	return results, nil
}

// checkTarget checks the gates of the target stack's preview and cost.
func (p promotion) checkTarget(ctx context.Context, results *gateResults, r *record.Record, budget int64) {
	if p.previewDir == "" {
		results.addMissing(gate.Preview, "no --preview")
		results.addMissing(gate.Cost, "no --preview")
		return
	}
	summary := ""
	tree, err := p.identifyPreviewedTree(ctx, p.to)
	if err == nil {
		summary, err = checkPreview(p.previewDir, p.to, tree, r)
	}
	results.addResult(gate.Preview, err, "%s", summary)
	if budget == 0 {
		results.addMissing(gate.Cost, fileName(p.to)+" has no policy.cost.monthlyBudget")
		return
	}
	summary, err = checkCost(p.previewDir, budget)
	results.addResult(gate.Cost, err, "%s", summary)
}

// verifyImages verifies the images with the target's trusted keys. The key that signs the gates
// must be one of these keys. verifyImages returns the commit from which the image migrate was
// built. If that commit is not known, it returns the commit of the release.
func (p promotion) verifyImages(ctx context.Context, file *record.File, r *record.Record, key signkey.Key) (string, error) {
	migrateCommit := r.Commit
	keys, err := p.readTrustedKeys(p.to, file)
	if err != nil {
		return migrateCommit, err
	}
	var errs []error
	if id, err := signkey.ID(key.Public()); err != nil || keys[id] == nil {
		errs = append(errs, fmt.Errorf("the key that signs the gates is none of images.trustedKeys of %s", fileName(p.to)))
	}
	for _, short := range slices.Sorted(maps.Keys(r.Images)) {
		attestations, err := verifyImage(ctx, r.Source(short), keys, gate.BuildPredicateTypes())
		errs = append(errs, err)
		provenance := findProvenance(attestations)
		if provenance.Modified() {
			errs = append(errs, fmt.Errorf("%s was built from files that differ from commit %.12s: build it from a commit", r.Source(short), provenance.GitCommit()))
		}
		if commit := provenance.GitCommit(); short == migrateImage && commit != "" {
			migrateCommit = commit
		}
	}
	return migrateCommit, errors.Join(errs...)
}

// migrateImage is the short name of the image that applies the migrations.
const migrateImage = "migrate"

// findProvenance returns the provenance in the attestations of an image, or an empty provenance. If
// there are several, it prefers one of a build without modified files.
func findProvenance(attestations []attest.Attestation) (found attest.Provenance) {
	for _, a := range attestations {
		var p attest.Provenance
		if a.PredicateType != attest.ProvenanceType || json.Unmarshal(a.Predicate, &p) != nil {
			continue
		}
		if !p.Modified() {
			return p
		}
		found = p
	}
	return found
}

// readRegion returns the AWS region of the promoted stack. It returns "" if the stack's file can't be
// read or has no region. The aws command and the client of KMS then use the region of the environment.
func (p promotion) readRegion() string {
	values, err := stackconfig.Read(filepath.Join(p.dir, fileName(p.from)))
	if err != nil {
		return ""
	}
	return values["aws:region"]
}
