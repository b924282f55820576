package costreport

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/ops/awsoffer"
	"github.com/progressive-framework/platform/ops/exitcode"
	"github.com/progressive-framework/platform/policy/cost"
)

const (
	// maxOfferBytes limits the size of an offer file. EC2's file for one region has about 500 MB.
	maxOfferBytes = 4 << 30
	// downloadTimeout limits the download of one file.
	downloadTimeout = 15 * time.Minute
)

// refreshCommand returns the subcommand that compares the price table with AWS's offer files.
func refreshCommand() *cobra.Command {
	var offers, prefixes []string
	var all bool
	c := &cobra.Command{
		Use:   "refresh",
		Short: "Print the rows of the price table that AWS's price files change",
		Long: "Read AWS's bulk price files and print the changed rows in the form of\n" +
			"policy/cost/prices.csv. Replace the rows by hand: a price is a fact that a person\n" +
			"reviews. docs/cost.md lists the files.",
		Example: "  pf cost refresh --offer https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonRDS/current/us-east-1/index.json\n" +
			"  pf cost refresh --offer ec2.json.gz --new docdb:",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(offers) == 0 {
				return fmt.Errorf("--offer is missing: a price file of AWS, or its URL")
			}
			for _, offer := range offers {
				if err := printChangedRows(c.Context(), offer, prefixes, all, c.OutOrStdout(), c.ErrOrStderr()); err != nil {
					return &exitcode.Error{Code: exitcode.Incomplete, Err: err}
				}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&offers, "offer", nil, "an offer file of one service and region in JSON, also .gz, or its URL; may be given several times")
	c.Flags().StringArrayVar(&prefixes, "new", nil, "also print new rows with a SKU that begins with this prefix; may be given several times")
	c.Flags().BoolVar(&all, "all", false, "also print the rows with an equal price; only their day and source are new")
	return c
}

// printChangedRows prints the changed rows of an offer file to out, and a summary of the changes
// to messages. With all, it also prints the rows with an equal price.
func printChangedRows(ctx context.Context, offer string, prefixes []string, all bool, out, messages io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	body, err := openOffer(ctx, offer)
	if err != nil {
		return err
	}
	defer body.Close()
	r := io.LimitReader(body, maxOfferBytes)
	if strings.HasSuffix(offer, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return fmt.Errorf("%s: %w", offer, err)
		}
		r = io.LimitReader(r, maxOfferBytes)
	}
	o, err := awsoffer.Read(r)
	if err != nil {
		return fmt.Errorf("%s: %w", offer, err)
	}
	changed, same := awsoffer.Compare(cost.Prices(), o, prefixes)
	fmt.Fprintf(messages, "%s %s: %d rows change, %d are equal\n", o.Code, o.Version, len(changed), len(same))
	for _, c := range changed {
		fmt.Fprintln(messages, "  "+c.String())
	}
	for _, problem := range o.Problems {
		fmt.Fprintln(messages, "  no row: "+problem)
	}
	if all {
		changed = append(changed, same...)
	}
	return awsoffer.WriteRows(out, changed)
}

// openOffer opens an offer file. If offer is a URL, it requests the URL and returns the body of
// the response.
func openOffer(ctx context.Context, offer string) (io.ReadCloser, error) {
	if !strings.HasPrefix(offer, "https://") && !strings.HasPrefix(offer, "http://") {
		return os.Open(offer)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, offer, nil)
	if err != nil {
		return nil, fmt.Errorf("download the price file: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("download the price file: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("download the price file: %s: %s, must be 200", offer, response.Status)
	}
	return response.Body, nil
}
