package main

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
)

// resource is what the picture needs of one in a state.
type resource struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Outputs map[string]any `json:"outputs"`
}

// text reads a property of the outputs by its path, ready to stand in an SVG.
func (r resource) text(path ...string) string {
	var v any = r.Outputs
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
	}
	if v == nil {
		return ""
	}
	return html.EscapeString(fmt.Sprint(v))
}

// Sizes of the drawing, in SVG units.
const (
	margin, gap = 24, 12
	columnWidth = 250
	rowHeight   = 70
	titleHeight = 36
	lineHeight  = 18 // the template's dy
)

// box is a rectangle with a few lines of text.
type box struct {
	X, Y, W, H int
	Class      string
	Title      string
	Lines      []string
}

// picture is what the template draws.
type picture struct {
	W, H  int
	Title string
	Boxes []box
}

// tiers are the rows of the network, from the outside in.
var tiers = []string{"public", "private-app", "private-data"}

func layOut(resources []resource) (*picture, error) {
	by := map[string][]resource{}
	for _, r := range resources {
		kind := r.Type[strings.LastIndex(r.Type, ":")+1:]
		by[kind] = append(by[kind], r)
	}
	if len(by["Vpc"]) != 1 || len(by["Cluster"]) == 0 || len(by["Subnet"]) == 0 {
		return nil, errors.New("the state holds no platform: run make up first")
	}
	vpc := by["Vpc"][0]
	zones := map[string]map[string]resource{}
	for _, s := range by["Subnet"] {
		zone := s.text("availabilityZone")
		if zones[zone] == nil {
			zones[zone] = map[string]resource{}
		}
		zones[zone][s.text("tags", "Tier")] = s
	}
	nats := map[string]resource{}
	for _, n := range by["NatGateway"] {
		nats[n.text("subnetId")] = n
	}

	names := slices.Sorted(maps.Keys(zones))
	inner := len(names)*columnWidth + (len(names)-1)*gap
	p := &picture{W: inner + 4*margin, Title: "The platform, drawn from the state of a stack"}
	left, y := 2*margin, 2*margin

	p.add(box{X: margin, Y: y, W: inner + 2*margin, H: 52, Class: "edge", Title: "Internet gateway", Lines: []string{"the only way in and out of the VPC"}})
	y += 52 + gap
	top := y
	y += 40
	for _, tier := range tiers {
		for i, zone := range names {
			s := zones[zone][tier]
			b := box{X: left + i*(columnWidth+gap), Y: y, W: columnWidth, H: rowHeight, Class: tier,
				Title: tier + " · " + zone, Lines: []string{s.text("cidrBlock")}}
			if _, ok := nats[s.ID]; ok {
				b.Lines = append(b.Lines, "NAT gateway")
			}
			p.add(b)
		}
		y += rowHeight + gap
	}
	cluster := by["Cluster"][0]
	for _, c := range by["Cluster"] {
		if c.text("version") != "" {
			cluster = c
		}
	}
	running := workloads(by)
	height := titleHeight + len(running)*lineHeight
	p.add(box{X: left, Y: y, W: inner, H: height, Class: "cluster",
		Title: "EKS " + cluster.text("version") + " · " + cluster.text("name"), Lines: running})
	y += height + gap
	p.Boxes = slices.Insert(p.Boxes, 0, box{X: margin, Y: top, W: inner + 2*margin, H: y - top, Class: "vpc",
		Title: "VPC " + vpc.text("cidrBlock")})
	for _, r := range by["Image"] {
		p.add(box{X: margin, Y: y + gap, W: inner + 2*margin, H: 70, Class: "image", Title: "ECR · image built by this stack",
			Lines: []string{r.text("repository"), shortDigest(r.text("digest"))}})
		y += 70 + gap
	}
	p.H = y + margin
	return p, nil
}

// shortDigest is enough of a digest to know it by.
func shortDigest(digest string) string {
	if len(digest) > 26 {
		return digest[:26] + "…"
	}
	return digest
}

func (p *picture) add(b box) { p.Boxes = append(p.Boxes, b) }

// workloads names the Deployments, StatefulSets and Services, sorted.
func workloads(by map[string][]resource) []string {
	var lines []string
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		for _, d := range by[kind] {
			lines = append(lines, fmt.Sprintf("%s %s/%s, replicas %s", kind, d.text("metadata", "namespace"), d.text("metadata", "name"), d.text("spec", "replicas")))
		}
	}
	for _, s := range by["Service"] {
		if s.text("spec", "type") == "" {
			continue // our own component of that name
		}
		lines = append(lines, fmt.Sprintf("Service %s, %s", s.text("metadata", "name"), s.text("spec", "type")))
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return lines
}
