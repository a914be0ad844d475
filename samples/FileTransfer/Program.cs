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
return parsed.Errors.Count > 0
    ? Math.Sign(await parsed.InvokeAsync()) * (int)FileTransfer.ExitCode.Usage
    : await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
