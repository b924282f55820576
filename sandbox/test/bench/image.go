package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// mcaPackage is the Go package of the service with the measured image.
const mcaPackage = "./agents/mca"

// measureImage times the preview of one unchanged image, without other resources. It also compares
// the size of the unpacked image with the size of the stripped binary in the image.
func (r *runner) measureImage(ctx context.Context, runs int) ([]row, error) {
	out, err := r.runAndCapture(ctx, "pulumi", "stack", "output", "images", "--json", "--stack", "sandbox")
	if err != nil {
		return nil, err
	}
	var images map[string]string
	if err := json.Unmarshal(out, &images); err != nil {
		return nil, err
	}
	urn, err := r.findURN(ctx, "ko:index:Image")
	if err != nil {
		return nil, err
	}
	imagePreviews, err := timeRuns(ctx, runs, r.preview("sandbox", "--target", urn))
	if err != nil {
		return nil, err
	}
	unpacked, err := measureUnpackedSize(ctx, images["mca"])
	if err != nil {
		return nil, err
	}
	stripped, err := r.measureStrippedSize(ctx)
	if err != nil {
		return nil, err
	}
	return []row{
		{"image of an unchanged service, preview of it alone", imagePreviews.describe(), "at most 1.5 s"},
		{"image unpacked, beyond the stripped binary", fmt.Sprintf("%.2f MB (%.2f against %.2f)",
			float64(unpacked-stripped)/1e6, float64(unpacked)/1e6, float64(stripped)/1e6), "at most 2 MB"},
	}, nil
}

// measureUnpackedSize returns the size of all layers of an image after unpacking, in bytes.
func measureUnpackedSize(ctx context.Context, reference string) (int64, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return 0, err
	}
	image, err := remote.Image(ref, remote.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	layers, err := image.Layers()
	if err != nil {
		return 0, err
	}
	var size int64
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return 0, err
		}
		n, err := io.Copy(io.Discard, content)
		content.Close()
		if err != nil {
			return 0, err
		}
		size += n
	}
	return size, nil
}

// measureStrippedSize builds the service without debug information and returns the size of the
// binary.
func (r *runner) measureStrippedSize(ctx context.Context) (int64, error) {
	dir, err := os.MkdirTemp("", "pf-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "mca")
	if err := r.run(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, mcaPackage); err != nil {
		return 0, err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// findURN returns the URN of the first resource of a type in the sandbox stack.
func (r *runner) findURN(ctx context.Context, kind string) (string, error) {
	resources, err := r.exportResources(ctx, "sandbox")
	if err != nil {
		return "", err
	}
	for _, exported := range resources {
		if strings.Contains(exported.URN, kind+"::") {
			return exported.URN, nil
		}
	}
	return "", fmt.Errorf("the stack sandbox has no %s", kind)
}
