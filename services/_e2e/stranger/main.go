// A fulfillment service for Sidecart in Go, written from the documents in contracts/ and Dapr's own manual alone. It
// picks, packs and ships what orders asks for, beside the same sidecar and in the same database as any other would.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	_ "github.com/lib/pq"
)

const service = "fulfillment"

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("service", service))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
	slog.Info("stopped")
}

func run(ctx context.Context) error {
	contracts := os.Getenv("CONTRACTS")
	schemas, err := loadSchemas(filepath.Join(contracts, "events"))
	if err != nil {
		return err
	}
	callers, err := loadCallers(filepath.Join(contracts, service, "openapi.json"))
	if err != nil {
		return err
	}
	sidecar := newSidecar(os.Getenv("DAPR_HTTP_PORT"), os.Getenv("DAPR_API_TOKEN"))
	health := &health{sidecar: sidecar}
	ops := listen(os.Getenv("OPS_PORT"), health.opsHandler())
	defer ops.Close()
	if err := sidecar.waitUntilHealthy(ctx); err != nil {
		return err
	}
	orders, err := dialOrders(ctx, filepath.Join(contracts, "orders"), os.Getenv("DAPR_GRPC_PORT"), os.Getenv("DAPR_API_TOKEN"))
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, sidecar)
	if err != nil {
		return err
	}
	defer db.Close()

	messages := &messaging{db: db, schemas: schemas, published: make(chan event, 10_000)}
	shipping := &shipping{
		messages: messages,
		pick:     milliseconds("FULFILLMENT_PICK_MS", 100),
		pack:     milliseconds("FULFILLMENT_PACK_MS", 100),
	}
	messages.handlers = map[string]handler{
		"com.sidecart.orders.shipment.requested.v1": shipping.requested,
		"com.sidecart.orders.shipment.withdrawn.v1": shipping.withdrawn,
	}
	catchUp := &catchUp{
		messages: messages, orders: orders, topic: requestsTopic, source: ordersSource,
		grace: milliseconds("CATCH_UP_GRACE_MS", 1_500),
	}
	inbound := &inbound{
		token: os.Getenv("APP_API_TOKEN"), callers: callers, messages: messages, health: health,
	}
	health.database = db
	app := listen(os.Getenv("APP_PORT"), inbound.handler())
	go messages.relay(ctx, sidecar)
	go every(ctx, milliseconds("CATCH_UP_INTERVAL_MS", 2_000), "catch-up", catchUp.tick)
	go every(ctx, 50*time.Millisecond, "shipping", shipping.work)
	slog.Info("listening", "port", os.Getenv("APP_PORT"))

	<-ctx.Done()
	finish, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return app.Shutdown(finish)
}

// openDatabase connects as the role of the service's name to the database of that name. The role sees the rows of the
// tenant that its session or transaction names; this service knows one, and has every session begin with it.
func openDatabase(ctx context.Context, sidecar *sidecar) (*sql.DB, error) {
	password, err := sidecar.secret(ctx, service+"DatabasePassword")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("postgres", fmt.Sprintf(
		"host=%s port=%s user=%s dbname=%s password=%s sslmode=disable connect_timeout=2 "+
			"statement_timeout=5000 lock_timeout=3000 idle_in_transaction_session_timeout=10000 sidecart.tenant=main",
		os.Getenv("DATABASE_HOST"), os.Getenv("DATABASE_PORT"), service, service, password))
	if err == nil {
		db.SetMaxOpenConns(5)
	}
	return db, err
}

// listen serves on loopback until it is shut down; a port that cannot be had ends the process.
func listen(port string, handler http.Handler) *http.Server {
	server := &http.Server{Addr: "127.0.0.1:" + port, Handler: handler}
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			slog.Error("cannot listen", "error", err)
			os.Exit(1)
		}
	}()
	return server
}

// every does work again and again; a failure is logged, and the work comes again with the next tick.
func every(ctx context.Context, pause time.Duration, name string, work func(context.Context) error) {
	for {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("put off", "work", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func milliseconds(name string, otherwise int) time.Duration {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		n = otherwise
	}
	return time.Duration(n) * time.Millisecond
}
