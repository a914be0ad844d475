using System.CommandLine;
using System.Globalization;
using System.Net;
using FileTransfer.Protocol;
using FileTransfer.Reporting;
using FileTransfer.Serving;
using FileTransfer.Storage.Secrets;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary><c>serve PATH</c>: serves a directory or a file until it is stopped.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("PATH") { Description = "The directory, or the one file, to serve." };
        var listen = new Option<string?>("--listen")
        {
            Description = string.Create(
                CultureInfo.InvariantCulture,
                $"Where to listen: ADDRESS, ADDRESS:PORT or PORT. Without it, every address of this machine and port {TransferLimits.DefaultPort}."),
        };
        var identity = new Option<string>("--identity")
        {
            Description = "The file with our identity; made where there is none.",
            DefaultValueFactory = _ => PrivateFile.DefaultPath("identity.pfx"),
        };
        var writable = new Option<bool>("--writable") { Description = "Let clients put files into the directory." };
        var command = new Command("serve", "Serves a directory, or one file.") { path, listen, identity, writable };
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            var endPoint = ParseListen(parsed.GetValue(listen));
            using var certificate = StoredIdentity.LoadOrCreate(parsed.GetValue(identity)!);
            await using var host = CommonOptions.CreateHost(parsed);
            await using var server = await FileServer.StartAsync(
                host.Host,
                Local.At(endPoint, certificate),
                parsed.GetValue(path)!,
                parsed.GetValue(writable),
                reporter,
                cancellationToken);
            var reachable = ListenAddresses.Reachable(server.EndPoint);
            reporter.Listening(new ServerFacts(
                [.. reachable.Select(address => address.ToString())],
                server.Key.ToString(),
                new RemoteTicket(server.Key, server.EndPoint.Port, ListenAddresses.ForTicket(reachable)).ToString(),
                host.Engine,
                parsed.GetValue(writable)));
            try
            {
                await server.Completion.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Asked to stop: in order.
                reporter.Log("stopping");
            }

            return ExitCode.Done;
        }));
        return command;
    }

    private static IPEndPoint ParseListen(string? text)
    {
        if (text is null)
        {
            return ListenAddresses.Everywhere(TransferLimits.DefaultPort);
        }

        if (ushort.TryParse(text.TrimStart(':'), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && !text.StartsWith("::", StringComparison.Ordinal))
        {
            return ListenAddresses.Everywhere(port);
        }

        if (IPAddress.TryParse(text.Trim('[', ']'), out var address))
        {
            return new IPEndPoint(address, TransferLimits.DefaultPort);
        }

        return IPEndPoint.TryParse(text, out var endPoint)
            ? endPoint
            : throw new TransferException(
                ExitCode.Usage,
                $"'{text}' does not say where to listen. Write an address, a port or both: 127.0.0.1, 4433, 192.0.2.1:4433, [::]:4433.");
    }
}
