using System.CommandLine;
using FileTransfer.Commands;

var root = new RootCommand("post-file: files over Post Sockets and QUIC.")
{
    DemoCommand.Create(),
    ServeCommand.Create(),
    GetCommand.Create(),
    PutCommand.Create(),
    ListCommand.Create(),
    CatCommand.Create(),
};
CommonOptions.AddTo(root);
var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    return await UsageErrors.TellAsync(parsed, args);
}

using var signals = new StopSignals();
var code = await parsed.InvokeAsync(
    new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, signals.Stopping);
return signals.CodeOf(code);
