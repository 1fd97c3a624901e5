package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	backups "github.com/wactor/wactor/backup/command"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Operations whose option in admin.proto names a command need no code here: arguments, flags and
// help follow from the option and from the fields of the request.

// operationCommands makes the commands of a group, such as "conversations".
func operationCommands(group string) []*cobra.Command {
	var commands []*cobra.Command
	methods := wactorv1.File_wactor_v1_admin_proto.Services().ByName("AdminService").Methods()
	for i := range methods.Len() {
		if words := strings.Fields(operationOf(methods.Get(i)).GetCommand()); len(words) == 2 && words[0] == group {
			commands = append(commands, operationCommand(methods.Get(i), words[1]))
		}
	}
	return commands
}

func backupCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "backup",
		Short: "Make, list and check backups",
		Long: `Make, list and check backups. "create" asks a running node; the others read where backups lie, and need no node.
"wactor restore" makes a data directory of one. docs/backup.md says what a backup holds.`,
	}
	return group(command, append(operationCommands("backup"), backups.Backup()...)...)
}

func operationOf(method protoreflect.MethodDescriptor) *wactorv1.Operation {
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	rule, _ := proto.GetExtension(options, wactorv1.E_Operation).(*wactorv1.Operation)
	return rule
}

func operationCommand(method protoreflect.MethodDescriptor, name string) *cobra.Command {
	var admin adminFlags
	rule, fields := operationOf(method), method.Input().Fields()
	request := dynamicpb.NewMessage(method.Input())
	command := &cobra.Command{Use: name, Short: rule.Summary, Long: rule.Description}
	arguments := make([]protoreflect.FieldDescriptor, len(rule.Arguments))
	for i, argument := range rule.Arguments {
		arguments[i] = fields.ByName(protoreflect.Name(argument))
		command.Use += " " + strings.ToUpper(argument)
	}
	command.Args = cobra.ExactArgs(len(arguments))
	admin.add(command)
	for i := range fields.Len() {
		if field := fields.Get(i); !contains(arguments, field) {
			command.Flags().Var(&fieldFlag{request, field}, flagName(field), helpOf(field))
		}
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		for i, field := range arguments {
			if err := setField(request, field, args[i]); err != nil {
				return err
			}
		}
		response, err := admin.call(command.Context(), method, request)
		if err != nil {
			return err
		}
		fmt.Fprintln(command.OutOrStdout(), fill(fill(rule.Done, request), response))
		return nil
	}
	return command
}

func contains(fields []protoreflect.FieldDescriptor, field protoreflect.FieldDescriptor) bool {
	for _, f := range fields {
		if f.Number() == field.Number() {
			return true
		}
	}
	return false
}

// call has a node do an operation, and explains what fails.
func (f *adminFlags) call(ctx context.Context, method protoreflect.MethodDescriptor,
	request *dynamicpb.Message) (protoreflect.Message, error) {
	client, address, options := f.connection()
	if operationOf(method).GetLong() {
		client.Timeout = 0
	}
	caller := connect.NewClient[dynamicpb.Message, dynamicpb.Message](client,
		address+"/"+string(method.Parent().FullName())+"/"+string(method.Name()),
		append(options, connect.WithSchema(method), connect.WithResponseInitializer(answerOf(method)))...)
	response, err := caller.CallUnary(ctx, connect.NewRequest(request))
	if err != nil {
		return nil, f.explain(err)
	}
	return response.Msg, nil
}

// answerOf makes the empty response that an answer is read into.
func answerOf(method protoreflect.MethodDescriptor) func(connect.Spec, any) error {
	return func(_ connect.Spec, into any) error {
		if message, ok := into.(*dynamicpb.Message); ok {
			*message = *dynamicpb.NewMessage(method.Output()) //nolint:govet // it is new, nothing uses it yet
		}
		return nil
	}
}

// fill puts values of a message where a text names its fields.
func fill(text string, request protoreflect.Message) string {
	fields := request.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		text = strings.ReplaceAll(text, "{"+string(field.Name())+"}", oneLine(request.Get(field).String()))
	}
	return text
}

func flagName(field protoreflect.FieldDescriptor) string {
	return strings.ReplaceAll(string(field.Name()), "_", "-")
}

func helpOf(field protoreflect.FieldDescriptor) string {
	help, _ := proto.GetExtension(field.Options(), wactorv1.E_Help).(string)
	return help
}

// fieldFlag sets a field of a request.
type fieldFlag struct {
	request protoreflect.Message
	field   protoreflect.FieldDescriptor
}

func (f *fieldFlag) Set(text string) error { return setField(f.request, f.field, text) }

// String is the value that the flag has by default: none.
func (f *fieldFlag) String() string { return "" }

// Type is the word for the value in the help.
func (f *fieldFlag) Type() string { return f.field.Kind().String() }

// setField reads a field's value as it is given on the command line.
func setField(request protoreflect.Message, field protoreflect.FieldDescriptor, text string) error {
	var value protoreflect.Value
	var err error
	switch field.Kind() {
	case protoreflect.StringKind:
		value = protoreflect.ValueOfString(text)
	case protoreflect.Uint64Kind:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 64)
		value = protoreflect.ValueOfUint64(n)
	case protoreflect.BoolKind:
		var b bool
		b, err = strconv.ParseBool(text)
		value = protoreflect.ValueOfBool(b)
	default:
		return fmt.Errorf("%s: this version can't set a field of type %s", field.Name(), field.Kind())
	}
	if err != nil {
		return fmt.Errorf("%s is %s; not %q", strings.ToUpper(string(field.Name())), helpOf(field), text)
	}
	request.Set(field, value)
	return nil
}
