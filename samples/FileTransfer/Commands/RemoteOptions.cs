using System.CommandLine;
using System.Globalization;
using System.Net;
using FileTransfer.Fetching;
using FileTransfer.Reporting;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary>What says which server is meant, and what proves that it is the one.</summary>
internal sealed class RemoteOptions
{
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
        ParseResult parsed, string server, PostHost host, IReporter reporter, CancellationToken cancellationToken)
    {
        var (name, port) = Parse(server);
        if (parsed.GetValue(_authority))
        {
            return await FileClient.ConnectAsync(host, Local.Anonymous, Remote.Named(name, port), cancellationToken);
        }

        var known = new KnownKeys(parsed.GetValue(_known)!);
        if ((ParseKey(parsed.GetValue(_key)) ?? known.Find(server)) is { } key)
        {
            return await FileClient.ConnectAsync(host, Local.Anonymous, Remote.Pinned(name, port, key), cancellationToken);
        }

        if (!parsed.GetValue(_trustFirst))
        {
            throw new TransferException(
                ExitCode.Usage,
                $"The key of {server} is not known. Give --key with the fingerprint that serve printed, --ca where its name is certified, "
                + "or --trust-first-use to trust whoever answers now.");
        }

        var client = await FileClient.ConnectAsync(host, Local.Anonymous, Remote.Judged(name, port, (_, _, _) => true), cancellationToken);
        if (client.Association.Peer.Key is { } seen)
        {
            known.Add(server, seen);
            reporter.Note($"{server} is remembered by its key {seen}");
        }

        return client;
    }

    private static KeyFingerprint? ParseKey(string? text) => text is null
        ? null
        : KeyFingerprint.TryParse(text, out var key)
            ? key
            : throw new TransferException(ExitCode.Usage, "--key is written \"sha256:\" followed by 64 hexadecimal digits.");

    private static (string Host, int Port) Parse(string server)
    {
        if (IPEndPoint.TryParse(server, out var endPoint) && endPoint.Port > 0)
        {
            return (endPoint.Address.ToString(), endPoint.Port);
        }

        var colon = server.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(server.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? (server[..colon], port)
            : throw new TransferException(ExitCode.Usage, $"'{server}' is no HOST:PORT.");
    }
}
