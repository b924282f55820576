// Command webhookcert creates the certificate of an admission webhook, as an init
// container of the webhook's pod. It owns a key, which it writes only to a folder of
// the pod in memory, and the field caBundle of one MutatingWebhookConfiguration.
//
// So neither a Secret nor the stack's state contains the key, and the key ends with
// the pod. The certificate is self-signed, and the API server trusts only this
// certificate.
//
//	webhookcert -host NAME.NAMESPACE.svc -dir /certs -configuration NAME -webhook NAME
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// limit bounds one run. The kubelet runs a failed init container again.
const limit = 30 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("service", "webhookcert")
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	err := run(ctx, os.Args[1:], clusterAPIServer)
	cancel()
	if err != nil {
		log.Error("no certificate for the webhook", "error", err)
		os.Exit(1)
	}
	log.Info("the API server trusts the webhook's new certificate")
}

// run writes the certificate's files and then sets the webhook's authority. The webhook
// starts after run, so it always serves the trusted certificate.
func run(ctx context.Context, args []string, connect func() (*apiServer, error)) error {
	flags := flag.NewFlagSet("webhookcert", flag.ContinueOnError)
	host := flags.String("host", "", "the name by which the API server calls the webhook")
	dir := flags.String("dir", "", "the folder of tls.crt and tls.key")
	configuration := flags.String("configuration", "", "the name of the MutatingWebhookConfiguration")
	webhook := flags.String("webhook", "", "the name of the webhook in it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var errs []error
	flags.VisitAll(func(f *flag.Flag) {
		if f.Value.String() == "" {
			errs = append(errs, fmt.Errorf("-%s is empty, must be set", f.Name))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	pair, err := newPair(*host, time.Now())
	if err != nil {
		return err
	}
	if err := pair.write(*dir); err != nil {
		return err
	}
	server, err := connect()
	if err != nil {
		return err
	}
	return server.trust(ctx, *configuration, *webhook, pair.certificate)
}
