using System.CommandLine;
using FileTransfer.Protocol;
using FileTransfer.Receiving;

namespace FileTransfer.Commands;

/// <summary><c>get HOST[:PORT] [PATH...]</c>: fetches files; run again, only the rest moves.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var server = new Argument<string>("HOST[:PORT]") { Description = RemoteOptions.ServerDescription };
        var paths = new Argument<string[]>("PATH") { Description = "Files and directories; none: everything.", Arity = ArgumentArity.ZeroOrMore };
        var output = new Option<string>("--out", "-o")
        {
            Description = "The directory to put them into; for one file also its new name, which has a suffix; - for standard output.",
            DefaultValueFactory = _ => ".",
        };
        var name = new Option<string?>("--as") { Description = "The name that the one file or directory asked for gets in the directory." };
        var remote = new RemoteOptions();
        var options = new TransferOptions();
        var perseverance = new Perseverance();
        var command = new Command("get", "Fetches files.") { server, paths, output, name };
        remote.AddTo(command);
        options.AddTo(command);
        perseverance.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            var asked = parsed.GetValue(paths) ?? [];
            await using var host = CommonOptions.CreateHost(parsed);
            Task<Client.FileClient> ConnectAsync() => remote.ConnectAsync(parsed, parsed.GetValue(server)!, host.Host, reporter, cancellationToken);
            if (parsed.GetValue(output) == "-")
            {
                return asked.Length == 1
                    ? await CatCommand.WriteAsync(ConnectAsync, asked[0], 0, follow: false, cancellationToken)
                    : throw new TransferException(ExitCode.Usage, "Only one file can go to standard output.");
            }

            foreach (var path in asked)
            {
                if (Storage.RelativePath.FindFault(path.TrimEnd('/')) is { } fault && path.TrimEnd('/') is not ("" or "."))
                {
                    throw new TransferException(ExitCode.Usage, $"'{path}' {fault}.");
                }
            }

            var isDryRun = options.IsDryRun(parsed);
            var target = GetTarget.Of(asked, parsed.GetValue(output)!, parsed.GetValue(name));
            using var destination = new DestinationTree(target.Directory, isDryRun);
            var query = new GetRequest(
                asked, options.Exclusions(parsed).Patterns, 0, options.Checksum(parsed), options.Limit(parsed));
            var receiving = new DestinationOptions
            {
                Placement = target.Placement,
                OnPlanned = isDryRun ? reporter.Planned : null,
                OnNote = reporter.Note,
            };
            var summary = await perseverance.RunAsync(
                parsed,
                reporter,
                ConnectAsync,
                (client, progress) => Transfers.RunAsync(
                    "get",
                    reporter,
                    client.Association,
                    progress,
                    () => client.GetAsync(query, destination, receiving, progress, cancellationToken)),
                cancellationToken);
            reporter.Result(summary);
            return summary.Code(isPut: false);
        }));
        return command;
    }
}
