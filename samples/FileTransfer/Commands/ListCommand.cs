using System.CommandLine;
using FileTransfer.Protocol;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Commands;

/// <summary><c>ls HOST[:PORT] [PATH...]</c>: what there is.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var server = new Argument<string>("HOST[:PORT]") { Description = RemoteOptions.ServerDescription };
        var paths = new Argument<string[]>("PATH") { Description = "Files and directories; none: everything.", Arity = ArgumentArity.ZeroOrMore };
        var depth = new Option<int>("--depth", "-d")
        {
            Description = "How many levels of directories to go down; 1: only what is in the directory itself. Without it, all levels.",
        };
        depth.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
            {
                result.AddError("--depth is 1 or more levels, or 0 for all.");
            }
        });
        var exclude = new Option<string[]>("--exclude") { Description = "Leave out what has this name, with * and ?." };
        var remote = new RemoteOptions();
        var command = new Command("ls", "Lists what a server has: size, time of the last change in UTC, path.") { server, paths, depth, exclude };
        remote.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            var query = new GetRequest(
                parsed.GetValue(paths) ?? [], Sources.Exclusions.Of(parsed.GetValue(exclude)).Patterns, parsed.GetValue(depth));
            await using var host = CommonOptions.CreateHost(parsed);
            await using var client = await remote.ConnectAsync(parsed, parsed.GetValue(server)!, host.Host, reporter, cancellationToken);
            var end = await client.ListAsync(
                query,
                listing =>
                {
                    // A directory shows by what is in it, unless nothing of that is shown.
                    reporter.List(listing.Entries.Where(entry => entry.Kind != FileKind.Directory || entry.Size <= 0));
                    foreach (var failed in listing.Failed)
                    {
                        reporter.Failure(failed);
                    }

                    foreach (var passedOver in listing.PassedOver)
                    {
                        reporter.Note($"passed over: {passedOver.Path}: {passedOver.Reason}");
                    }
                },
                cancellationToken);
            return end.Failed == 0 ? ExitCode.Done : ExitCode.Incomplete;
        }));
        return command;
    }
}
