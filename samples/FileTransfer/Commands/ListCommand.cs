using System.CommandLine;

namespace FileTransfer.Commands;

/// <summary><c>ls HOST:PORT [PATH...]</c>: what there is.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var server = new Argument<string>("HOST:PORT") { Description = "The server." };
        var paths = new Argument<string[]>("PATH") { Description = "Files and directories; none: everything.", Arity = ArgumentArity.ZeroOrMore };
        var remote = new RemoteOptions();
        var command = new Command("ls", "Lists what a server has.") { server, paths };
        remote.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            await using var host = CommonOptions.CreateHost(parsed);
            await using var client = await remote.ConnectAsync(parsed, parsed.GetValue(server)!, host.Host, reporter, cancellationToken);
            reporter.List(await client.ListAsync(parsed.GetValue(paths) ?? [], cancellationToken));
            return ExitCode.Done;
        }));
        return command;
    }
}
