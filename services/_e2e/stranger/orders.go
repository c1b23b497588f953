package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bufbuild/protocompile"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// orders is the outbox of the orders service, behind the gRPC proxy of our sidecar. Its two rpcs are not worth generated
// code: the messages are made from the .proto when we start.
type orders struct {
	connection *grpc.ClientConn
	service    protoreflect.ServiceDescriptor
	token      string
}

func dialOrders(ctx context.Context, protoFolder, port, token string) (*orders, error) {
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{protoFolder}}}
	files, err := compiler.Compile(ctx, "orders.proto")
	if err != nil {
		return nil, err
	}
	service := files[0].Services().ByName("Orders")
	if service == nil {
		return nil, errors.New("orders.proto has no service Orders")
	}
	connection, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return &orders{connection, service, token}, err
}

type loggedEvent struct {
	ID, Cursor string
	AgeMs      float64
}

// listEvents gives a page of what orders has said on a topic.
func (o *orders) listEvents(ctx context.Context, topic, after string, limit int) ([]loggedEvent, error) {
	var answer struct {
		Events *struct{ Events []loggedEvent }
	}
	err := o.call(ctx, "ListEvents", map[string]any{"topic": topic, "after": after, "limit": limit}, &answer)
	if err == nil && answer.Events == nil {
		err = errors.New("orders refused to list events")
	}
	if err != nil {
		return nil, err
	}
	return answer.Events.Events, nil
}

// readEvents gives whole events, each as its JSON text.
func (o *orders) readEvents(ctx context.Context, ids []string) ([]string, error) {
	var answer struct{ Envelopes *struct{ Envelopes []string } }
	err := o.call(ctx, "ReadEvents", map[string]any{"ids": ids}, &answer)
	if err == nil && answer.Envelopes == nil {
		err = errors.New("orders refused to show events")
	}
	if err != nil {
		return nil, err
	}
	return answer.Envelopes.Envelopes, nil
}

func (o *orders) call(ctx context.Context, rpc string, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "dapr-app-id", "orders", "dapr-api-token", o.token)
	method := o.service.Methods().ByName(protoreflect.Name(rpc))
	if method == nil {
		return fmt.Errorf("orders.proto has no rpc %s", rpc)
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	in, out := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	if err := protojson.Unmarshal(text, in); err != nil {
		return err
	}
	path := fmt.Sprintf("/%s/%s", o.service.FullName(), rpc)
	if err := o.connection.Invoke(ctx, path, in, out); err != nil {
		return err
	}
	if text, err = protojson.Marshal(out); err != nil {
		return err
	}
	return json.Unmarshal(text, answer)
}
