using System.CommandLine;
using FileTransfer.Storage;

namespace FileTransfer.Commands;

/// <summary><c>get HOST:PORT [PATH...]</c>: fetches files; run again, only the rest moves.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var server = new Argument<string>("HOST:PORT") { Description = "The server." };
        var paths = new Argument<string[]>("PATH") { Description = "Files and directories; none: everything.", Arity = ArgumentArity.ZeroOrMore };
        var output = new Option<string>("--out") { Description = "Where to put them.", DefaultValueFactory = _ => "." };
        var remote = new RemoteOptions();
        var perseverance = new Perseverance();
        var command = new Command("get", "Fetches files.") { server, paths, output };
        remote.AddTo(command);
        perseverance.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            using var destination = new DestinationTree(parsed.GetValue(output)!);
            await using var host = CommonOptions.CreateHost(parsed);
            var summary = await perseverance.RunAsync(
                parsed,
                reporter,
                () => remote.ConnectAsync(parsed, parsed.GetValue(server)!, host.Host, reporter, cancellationToken),
                (client, progress) => Transfers.GetAsync(
                    "get", reporter, client, parsed.GetValue(paths) ?? [], destination, progress, cancellationToken),
                cancellationToken);
            reporter.Result(summary);
            return summary.Failed.Count == 0 ? ExitCode.Done : ExitCode.Incomplete;
        }));
        return command;
    }
}
