using System.CommandLine;
using System.Net;
using FileTransfer.Serving;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary><c>serve DIR</c>: serves a directory until it is stopped.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "The directory to serve." };
        var listen = new Option<string>("--listen")
        {
            Description = "Where to listen: ADDR:PORT.",
            DefaultValueFactory = _ => "[::]:4433",
        };
        var identity = new Option<string>("--identity")
        {
            Description = "The file with our identity; made where there is none.",
            DefaultValueFactory = _ => PrivateFile.DefaultPath("identity.pfx"),
        };
        var writable = new Option<bool>("--writable") { Description = "Take files, too." };
        var command = new Command("serve", "Serves a directory.") { directory, listen, identity, writable };
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            if (!IPEndPoint.TryParse(parsed.GetValue(listen)!, out var endPoint))
            {
                throw new TransferException(ExitCode.Usage, "--listen takes ADDR:PORT, for example 127.0.0.1:4433 or [::]:4433.");
            }

            using var certificate = IdentityFile.LoadOrCreate(parsed.GetValue(identity)!);
            await using var host = CommonOptions.CreateHost(parsed);
            await using var server = await FileServer.StartAsync(
                host.Host,
                Local.At(endPoint, certificate),
                parsed.GetValue(directory)!,
                parsed.GetValue(writable),
                reporter,
                cancellationToken);
            reporter.Listening(server.EndPoint.ToString(), server.Key.ToString(), host.Engine);
            try
            {
                await server.Completion.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Asked to stop: in order.
                reporter.Note("stopping");
            }

            return ExitCode.Done;
        }));
        return command;
    }
}
