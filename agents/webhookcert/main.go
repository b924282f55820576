// Command webhookcert creates the certificate of an admission webhook. It runs as an init
// container of the webhook's pod. It writes the key and the certificate to a folder of the
// pod that is in memory. It then writes the certificate to the field caBundle of one
// MutatingWebhookConfiguration, so that the API server trusts it.
//
// So neither a Secret nor the stack's state contains the key. The key is deleted when the
// pod ends. The certificate is self-signed, so the API server trusts no other certificate.
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

// timeout bounds one run. The kubelet runs a failed init container again.
const timeout = 30 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("service", "webhookcert")
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	err := run(ctx, os.Args[1:], newClusterAPIServer)
	cancel()
	if err != nil {
		log.Error("no certificate for the webhook", "error", err)
		os.Exit(1)
	}
	log.Info("the API server trusts the webhook's new certificate")
}

// run writes the certificate's files, and then makes the API server trust the certificate.
// The webhook starts after run has ended, so it always serves the trusted certificate.
func run(ctx context.Context, args []string, connect func() (*apiServer, error)) error {
	flags := flag.NewFlagSet("webhookcert", flag.ContinueOnError)
	host := flags.String("host", "", "the name by which the API server calls the webhook")
	dir := flags.String("dir", "", "the folder of tls.crt and tls.key")
	configuration := flags.String("configuration", "", "the name of the MutatingWebhookConfiguration")
	webhook := flags.String("webhook", "", "the name of the webhook in this configuration")
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
	return server.setCABundle(ctx, *configuration, *webhook, pair.certificate)
}
