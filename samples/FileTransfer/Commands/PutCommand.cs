using System.CommandLine;

namespace FileTransfer.Commands;

/// <summary><c>put PATHS --to HOST:PORT</c>: gives files to a writable server; run again, only the rest moves.</summary>
internal static class PutCommand
{
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATHS") { Description = "Files and directories here.", Arity = ArgumentArity.OneOrMore };
        var to = new Option<string>("--to") { Description = "The server: HOST:PORT.", Required = true };
        var remote = new RemoteOptions();
        var perseverance = new Perseverance();
        var command = new Command("put", "Puts files to a server that runs with --writable.") { paths, to };
        remote.AddTo(command);
        perseverance.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            await using var host = CommonOptions.CreateHost(parsed);
            var summary = await perseverance.RunAsync(
                parsed,
                reporter,
                () => remote.ConnectAsync(parsed, parsed.GetValue(to)!, host.Host, reporter, cancellationToken),
                (client, progress) => Transfers.PutAsync(reporter, client, parsed.GetValue(paths)!, progress, cancellationToken),
                cancellationToken);
            reporter.Result(summary);
            return summary.Failed.Count == 0 ? ExitCode.Done : ExitCode.Incomplete;
        }));
        return command;
    }
}
