package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// adminFlags say which node to ask.
type adminFlags struct{ address, token, tokenFile string }

func (f *adminFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.address, "admin", cmp.Or(os.Getenv("WACTOR_ADMIN"), "http://127.0.0.1:8081"),
		"address of a node's admin API (or $WACTOR_ADMIN)")
	command.Flags().StringVar(&f.tokenFile, "token-file", "", "file that holds the admin token (or "+
		"$WACTOR_ADMIN_TOKEN)")
	command.Flags().StringVar(&f.token, "token", "", "admin token; other users of this machine can see it in ps")
	command.MarkFlagsMutuallyExclusive("token", "token-file")
	command.PreRunE = func(*cobra.Command, []string) error { return f.readToken() }
}

func (f *adminFlags) client() wactorv1connect.AdminServiceClient {
	client, address, options := f.connection()
	return wactorv1connect.NewAdminServiceClient(client, address, options...)
}

// connection is how a node's admin API is reached.
func (f *adminFlags) connection() (client *http.Client, address string, options []connect.ClientOption) {
	token := f.shown()
	authorise := connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			if token != "" {
				request.Header().Set("Authorization", "Bearer "+token)
			}
			return next(ctx, request)
		}
	})
	address = f.address
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return &http.Client{Timeout: 30 * time.Second}, strings.TrimSuffix(address, "/"),
		[]connect.ClientOption{connect.WithInterceptors(authorise)}
}

// readToken reads the token's file.
func (f *adminFlags) readToken() error {
	if f.tokenFile == "" {
		return nil
	}
	content, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	if f.token = strings.TrimSpace(string(content)); f.token == "" {
		return fmt.Errorf("--token-file: %s is empty", f.tokenFile)
	}
	return nil
}

// shown is the token that the node is shown; empty for none.
func (f *adminFlags) shown() string { return cmp.Or(f.token, os.Getenv("WACTOR_ADMIN_TOKEN")) }

// explain makes a sentence for an operator of an admin call's error, with the remedy where there is
// one.
func (f *adminFlags) explain(err error) error {
	var failed *connect.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch code := failed.Code(); {
	case code == connect.CodeUnauthenticated && f.shown() != "":
		return errors.New("the node rejects the admin token of --token, --token-file or WACTOR_ADMIN_TOKEN: is it " +
			"the admin.token " +
			"of its configuration?")
	case code == connect.CodeUnauthenticated:
		return errors.New("the node asks for its admin token: give --token-file or set WACTOR_ADMIN_TOKEN")
	case connect.IsWireError(err):
		return errors.New(failed.Message())
	case code == connect.CodeUnavailable, code == connect.CodeDeadlineExceeded:
		return fmt.Errorf("no node answers at %s: %s; is it running, and is --admin right?", f.address,
			failed.Message())
	case code == connect.CodeUnimplemented, code == connect.CodeUnknown, code == connect.CodeInternal:
		return fmt.Errorf("what answers at %s is no admin API (%s): --admin is the node's listen.admin, not its "+
			"listen.http", f.address, failed.Message())
	}
	return err
}

// instant is a line of printed JSON that holds a time in milliseconds: durations have fewer digits.
var instant = regexp.MustCompile(`(?m)^( *)"(\w+)Ms": +"([1-9]\d{11,13})"`)

// printJSON prints what a node answered, for machines: with values that are zero, and with each
// time as RFC 3339 beside its milliseconds ("at" beside "atMs").
func printJSON(out io.Writer, message proto.Message) error {
	text, err := protojson.MarshalOptions{Multiline: true, EmitDefaultValues: true}.Marshal(message)
	if err != nil {
		return err
	}
	text = instant.ReplaceAllFunc(text, func(line []byte) []byte {
		parts := instant.FindSubmatch(line)
		ms, err := strconv.ParseInt(string(parts[3]), 10, 64)
		if err != nil {
			return line
		}
		return fmt.Appendf(line[:len(line):len(line)], ",\n%s%q: %q", parts[1], parts[2],
			time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	})
	_, err = fmt.Fprintln(out, string(text))
	return err
}
