using System.CommandLine;
using System.Globalization;
using System.Net;
using FileTransfer.Client;
using FileTransfer.Protocol;
using FileTransfer.Reporting;
using FileTransfer.Storage.Secrets;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary>What says which server is meant, and what proves that it is the one.</summary>
internal sealed class RemoteOptions
{
    public static readonly string ServerDescription = string.Create(
        CultureInfo.InvariantCulture, $"The server: its ticket, as serve prints it, or a name or an address; without a port, the port is {TransferLimits.DefaultPort}.");

    private const string TicketPrefix = "post1:";

    private readonly Option<string?> _key = new("--key")
    {
        Description = "The fingerprint of the server's key, as serve prints it.",
    };

    private readonly Option<bool> _authority = new("--ca")
    {
        Description = "The server proves its name by a certificate of an authority that this machine trusts.",
    };

    private readonly Option<bool> _trustFirst = new("--trust-first-use")
    {
        Description = "Trust a server that was never seen before, and remember its key.",
    };

    private readonly Option<string> _known = new("--known-keys")
    {
        Description = "The file with the keys of known servers.",
        DefaultValueFactory = _ => PrivateFile.DefaultPath("known_keys"),
    };

    public void AddTo(Command command)
    {
        command.Add(_key);
        command.Add(_authority);
        command.Add(_trustFirst);
        command.Add(_known);
    }

    /// <summary>Associates with the server.</summary>
    public async Task<FileClient> ConnectAsync(
        ParseResult parsed, string server, AssociationFactory host, IReporter reporter, CancellationToken cancellationToken)
    {
        if (server.StartsWith(TicketPrefix, StringComparison.Ordinal))
        {
            return await FileClient.ConnectAsync(host, Local.Anonymous, ParseTicket(parsed, server).ToRemote(), cancellationToken);
        }

        var (name, port) = ParseServer(server);
        if (parsed.GetValue(_authority))
        {
            return await FileClient.ConnectAsync(host, Local.Anonymous, Remote.Named(name, port), cancellationToken);
        }

        var known = new KnownKeys(parsed.GetValue(_known)!);
        var title = Remote.Named(name, port).ToString();
        if ((ParseKey(parsed.GetValue(_key)) ?? known.Find(title)) is { } key)
        {
            return await FileClient.ConnectAsync(host, Local.Anonymous, Remote.Pinned(name, port, key), cancellationToken);
        }

        if (!parsed.GetValue(_trustFirst))
        {
            throw new TransferException(
                ExitCode.Usage,
                $"The key of {title} is not known. Give --key with the fingerprint that serve printed, --ca where its name is certified, "
                + "or --trust-first-use to trust whoever answers now.");
        }

        var client = await FileClient.ConnectAsync(host, Local.Anonymous, Remote.Judged(name, port, (_, _, _) => true), cancellationToken);
        if (client.Association.Peer.Key is { } seen)
        {
            known.Add(title, seen);
            reporter.Note($"{title} is remembered by its key {seen}");
        }

        return client;
    }

    /// <summary>Takes NAME, NAME:PORT, ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT.</summary>
    /// <exception cref="TransferException">It is none of them.</exception>
    public static (string Host, int Port) ParseServer(string server)
    {
        if (IPAddress.TryParse(server.Trim('[', ']'), out var address))
        {
            return (address.ToString(), TransferLimits.DefaultPort);
        }

        if (IPEndPoint.TryParse(server, out var endPoint) && endPoint.Port > 0)
        {
            return (endPoint.Address.ToString(), endPoint.Port);
        }

        var colon = server.LastIndexOf(':');
        if (colon < 0 && Uri.CheckHostName(server) == UriHostNameType.Dns)
        {
            return (server, TransferLimits.DefaultPort);
        }

        return colon > 0 && Uri.CheckHostName(server[..colon]) == UriHostNameType.Dns
            && ushort.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? (server[..colon], port)
            : throw new TransferException(
                ExitCode.Usage,
                $"'{server}' does not say where the server is. Write a name or an address, with or without a port: example.org, "
                + $"192.0.2.1:{TransferLimits.DefaultPort}, [2001:db8::1]:{TransferLimits.DefaultPort}.");
    }

    private RemoteTicket ParseTicket(ParseResult parsed, string text)
    {
        if (parsed.GetValue(_key) is not null || parsed.GetValue(_authority) || parsed.GetValue(_trustFirst))
        {
            throw new TransferException(ExitCode.Usage, "A ticket has the server's key in it; leave out --key, --ca and --trust-first-use.");
        }

        try
        {
            return RemoteTicket.Parse(text);
        }
        catch (FormatException fault)
        {
            throw new TransferException(ExitCode.Usage, $"The ticket cannot be read. {fault.Message}");
        }
    }

    private static KeyFingerprint? ParseKey(string? text) => text is null
        ? null
        : KeyFingerprint.TryParse(text, out var key)
            ? key
            : throw new TransferException(ExitCode.Usage, "--key is written \"sha256:\" followed by 64 hexadecimal digits.");
}
