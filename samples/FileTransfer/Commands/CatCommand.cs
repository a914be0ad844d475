using System.CommandLine;

namespace FileTransfer.Commands;

/// <summary><c>cat HOST:PORT PATH [-f]</c>: reads a file, and along with it while it grows.</summary>
internal static class CatCommand
{
    public static Command Create()
    {
        var server = new Argument<string>("HOST:PORT") { Description = "The server." };
        var path = new Argument<string>("PATH") { Description = "The file." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what is written to it later." };
        var offset = new Option<long>("--offset") { Description = "From which byte; negative: so many before its end." };
        var remote = new RemoteOptions();
        var command = new Command("cat", "Writes a file of a server to standard output.") { server, path, follow, offset };
        remote.AddTo(command);
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            await using var host = CommonOptions.CreateHost(parsed);
            await using var client = await remote.ConnectAsync(parsed, parsed.GetValue(server)!, host.Host, reporter, cancellationToken);
            await using var output = Console.OpenStandardOutput();
            await client.TailAsync(
                parsed.GetValue(path)!, parsed.GetValue(offset), parsed.GetValue(follow), output, cancellationToken);
            return ExitCode.Done;
        }));
        return command;
    }
}
