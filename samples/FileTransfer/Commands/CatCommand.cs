using System.CommandLine;
using FileTransfer.Client;
using FileTransfer.Reporting;

namespace FileTransfer.Commands;

/// <summary><c>cat HOST[:PORT] PATH [-f]</c>: reads a file, and along with it while it grows.</summary>
internal static class CatCommand
{
    public static Command Create()
    {
        var server = new Argument<string>("HOST[:PORT]") { Description = RemoteOptions.ServerDescription };
        var path = new Argument<string>("PATH") { Description = "The file." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what is written to it later." };
        var offset = new Option<long>("--offset") { Description = "From which byte; negative: so many before its end." };
        var remote = new RemoteOptions();
        var command = new Command("cat", "Writes a file of a server to standard output.") { server, path, follow, offset };
        remote.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            await using var host = CommonOptions.CreateHost(parsed);
            return await WriteAsync(
                () => remote.ConnectAsync(parsed, parsed.GetValue(server)!, host.Host, reporter, cancellationToken),
                parsed.GetValue(path)!,
                parsed.GetValue(offset),
                parsed.GetValue(follow),
                cancellationToken);
        }));
        return command;
    }

    /// <summary>Writes a file to standard output, until its end or until nobody reads on.</summary>
    public static async Task<ExitCode> WriteAsync(
        Func<Task<FileClient>> connect, string path, long offset, bool follow, CancellationToken cancellationToken)
    {
        await using var client = await connect();
        await using var output = OutputStream.OpenOutput();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = client.TailAsync(path, offset, follow, output, ended.Token);
        var closing = OutputStream.WaitUntilClosedAsync(ended.Token);
        try
        {
            if (await Task.WhenAny(writing, closing) == closing && closing.IsCompletedSuccessfully)
            {
                return ExitCode.OutputClosed;
            }

            await writing;
            return ExitCode.Done;
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(writing, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
