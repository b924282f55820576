package planner

import (
	"context"
	"math"

	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/energy"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/foods"
	"github.com/progressive-framework/platform/agents/npa/internal/nutrition/simplex"
)

// rule bounds one nutrient of a day.
type rule struct {
	nutrient foods.Nutrient
	bounds   energy.Range
}

// plenty stands for "no upper bound": more fibre in g than food can hold.
const plenty = 1000

func rulesOf(t energy.Targets) []rule {
	return []rule{
		{foods.Energy, t.Energy},
		{foods.Protein, t.Protein},
		{foods.Carbohydrate, t.Carbohydrate},
		{foods.Fat, t.Fat},
		{foods.Fibre, energy.Range{Min: t.FibreMin, Max: plenty}},
		{foods.Sodium, energy.Range{Min: 0, Max: t.SodiumMax}},
	}
}

// off is by which share of the rule an amount breaks it, 0 if it does not.
func (r rule) off(amount float64) float64 {
	switch {
	case amount < r.bounds.Min:
		return (r.bounds.Min - amount) / r.bounds.Min
	case amount > r.bounds.Max:
		return (amount - r.bounds.Max) / r.bounds.Max
	default:
		return 0
	}
}

const (
	// margin is what the programme keeps from each bound, as a share, so that
	// rounding portions afterwards stays within.
	margin = 0.02
	// unusual is the cost of a portion at its bound, against costs of foods that
	// differ by up to 1 for taste.
	unusual = 0.5
	// broken is the cost of a rule that is off by its whole; far above any sum
	// of the others.
	broken = 1e5
	// points are the portions of a food in the programme: least, usual, most.
	points = 3
)

// problem is the linear programme of an offer: rows are the rules, then the
// slots; columns are, slot by slot, the points of its candidates.
func problem(o offer, rules []rule) simplex.Problem {
	rows := make([]simplex.Row, 0, len(rules)+len(o.slots))
	for _, r := range rules {
		scale := r.scale()
		rows = append(rows, simplex.Row{Lo: r.bounds.Min * (1 + margin) / scale, Hi: r.bounds.Max * (1 - margin) / scale, Penalty: broken})
	}
	for range o.slots {
		rows = append(rows, simplex.Row{Lo: 1, Hi: 1, Penalty: broken})
	}
	p := simplex.Problem{Rows: rows}
	for i, candidates := range o.candidates {
		for _, c := range candidates {
			for _, point := range []struct {
				in    *foods.Nutrients
				extra float64
			}{{&c.leastIn, unusual}, {&c.usualIn, 0}, {&c.mostIn, unusual}} {
				column := make([]float64, len(rows))
				for k, r := range rules {
					column[k] = point.in[r.nutrient] / r.scale()
				}
				column[len(rules)+i] = 1
				p.Columns, p.Cost = append(p.Columns, column), append(p.Cost, c.cost+point.extra)
			}
		}
	}
	return p
}

// scale brings a rule's numbers near 1.
func (r rule) scale() float64 {
	if r.bounds.Min > 0 {
		return r.bounds.Min
	}
	return r.bounds.Max
}

// dive solves the offer, fixes what the optimum has decided and the slot that
// it has nearly decided, and solves again, until each slot has one food.
func dive(ctx context.Context, o offer, rules []rule) (Day, error) {
	for {
		solved, err := simplex.Solve(ctx, problem(o, rules))
		if err != nil {
			return nil, err
		}
		for _, off := range solved.Broken {
			if math.Abs(off) > 1e-6 {
				return nil, errNotFound
			}
		}
		shares := sharesOf(o, solved.X)
		if narrow(&o, shares) {
			return weighed(o, solved.X, rules)
		}
	}
}

// sharesOf sums the points of each candidate.
func sharesOf(o offer, x []float64) [][]float64 {
	shares := make([][]float64, len(o.candidates))
	for i, candidates := range o.candidates {
		shares[i] = make([]float64, len(candidates))
		for j := range candidates {
			for range points {
				shares[i][j] += x[0]
				x = x[1:]
			}
		}
	}
	return shares
}

// narrow leaves one candidate in each decided slot, and in the one split slot
// that is nearest to it. It reports whether every slot had one already.
func narrow(o *offer, shares [][]float64) (done bool) {
	const decided = 1 - 1e-6
	done = true
	nearest, nearestShare, nearestBest := -1, 0.0, 0
	next := make([][]candidate, len(o.candidates))
	for i, candidates := range o.candidates {
		next[i] = candidates
		if len(candidates) == 1 {
			continue
		}
		best := 0
		for j, share := range shares[i] {
			if share > shares[i][best] {
				best = j
			}
		}
		switch share := shares[i][best]; {
		case share >= decided:
			next[i] = candidates[best : best+1]
		case share > nearestShare:
			nearest, nearestShare, nearestBest = i, share, best
		}
		done = false
	}
	if nearest >= 0 {
		next[nearest] = o.candidates[nearest][nearestBest : nearestBest+1]
	}
	o.candidates = next
	return done
}

// weighed rounds the portions of an offer with one candidate a slot, and
// mends what rounding broke.
func weighed(o offer, x []float64, rules []rule) (Day, error) {
	day := make(Day, len(o.slots))
	for i, candidates := range o.candidates {
		c, share := candidates[0], x[i*points:(i+1)*points]
		grams := share[0]*c.least + share[1]*c.usual + share[2]*c.most
		day[i] = Item{o.slots[i].meal, c.food, math.Min(math.Max(rounded(grams), c.least), c.most)}
	}
	for range 4 * len(day) {
		totals := day.Totals()
		off := offBy(totals, rules)
		if off == 0 {
			return day, nil
		}
		best, change := -1, 0.0
		for i := range day {
			c := o.candidates[i][0]
			for _, add := range []float64{step, -step} {
				if grams := day[i].Grams + add; grams < c.least || grams > c.most {
					continue
				}
				if now := offBy(plus(totals, c.food.In(add)), rules); now < off-1e-12 {
					best, change, off = i, add, now
				}
			}
		}
		if best < 0 {
			break
		}
		day[best].Grams += change
	}
	return nil, errNotFound
}

func offBy(totals foods.Nutrients, rules []rule) float64 {
	var sum float64
	for _, r := range rules {
		sum += r.off(totals[r.nutrient])
	}
	return sum
}

func plus(a, b foods.Nutrients) foods.Nutrients {
	for i := range a {
		a[i] += b[i]
	}
	return a
}
