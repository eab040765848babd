package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// forgetCmd is for when secret.key is lost and in no backup.
type forgetCmd struct {
	world
	Yes bool `help:"Do it; without this nothing is changed."`
}

// Run removes what can't be read any more.
func (c *forgetCmd) Run(s *streams) error {
	if !c.Yes {
		return errors.New("this removes the signing secret, X-Documenso-Secret and own headers of every webhook and switches them off, and removes the sealing key, for which the next start makes another; if that is meant, say --yes (with the server stopped)")
	}
	ctx := context.Background()
	st, _, err := c.open(ctx, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	n, err := st.ForgetSecrets(ctx, "Its secrets were lost with the server's key: make a new signing secret, give it to the receiver, enter the headers anew, then switch it on.")
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The secrets of %d webhooks are removed and the webhooks are off. Start the server with a new key; each webhook's page says what to do.\n", n)
	return nil
}
