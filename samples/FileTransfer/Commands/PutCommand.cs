using System.CommandLine;
using FileTransfer.Protocol;
using FileTransfer.Sending;
using FileTransfer.Sources;
using FileTransfer.Storage.Secrets;

namespace FileTransfer.Commands;

/// <summary><c>put PATHS --to HOST[:PORT]</c>: gives files to a writable server; run again, only the rest moves.</summary>
internal static class PutCommand
{
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATHS") { Description = "Files and directories here.", Arity = ArgumentArity.OneOrMore };
        var to = new Option<string>("--to") { Description = RemoteOptions.ServerDescription, Required = true };
        var into = new Option<string>("--into") { Description = "The directory of the server to put them into.", DefaultValueFactory = _ => string.Empty };
        var name = new Option<string?>("--as") { Description = "The name that the one file or directory gets there." };
        var remote = new RemoteOptions();
        var options = new TransferOptions();
        var perseverance = new Perseverance();
        var command = new Command("put", "Puts files to a server that runs with --writable.") { paths, to, into, name };
        remote.AddTo(command);
        options.AddTo(command);
        perseverance.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            using var source = SourceTree.Arguments(
                parsed.GetValue(paths)!, parsed.GetValue(into)!.Trim('/'), parsed.GetValue(name));
            await using var host = CommonOptions.CreateHost(parsed);
            var query = new SourceQuery([], options.Exclusions(parsed), 0, options.Checksum(parsed));
            var put = new PutRequest(ClientToken.LoadOrCreate(), options.IsDryRun(parsed));
            var limit = new SendingRate(options.Limit(parsed));
            var summary = await perseverance.RunAsync(
                parsed,
                reporter,
                () => remote.ConnectAsync(parsed, parsed.GetValue(to)!, host.Host, reporter, cancellationToken),
                (client, progress) => Transfers.RunAsync(
                    "put",
                    reporter,
                    client.Association,
                    progress,
                    () => client.PutAsync(source, query, put, limit, progress, reporter.Planned, reporter.Note, cancellationToken)),
                cancellationToken);
            reporter.Result(summary);
            return summary.Code(isPut: true);
        }));
        return command;
    }
}
