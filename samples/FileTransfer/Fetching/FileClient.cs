using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Sending;
using FileTransfer.Storage;
using Post.Sockets;
using Post.Sockets.Transport;

namespace FileTransfer.Fetching;

/// <summary>The other end of a <see cref="Serving.FileServer"/>: one request at a time on one association.</summary>
internal sealed class FileClient(Association association) : IAsyncDisposable
{
    // Requests with more files than this become several, so that each is an object of moderate size.
    private const int MaxOffer = 10_000;

    private uint _request;

    public Association Association => association;

    /// <summary>Associates with a server.</summary>
    /// <exception cref="TransferException">It cannot be reached, or is not who it should be.</exception>
    public static async Task<FileClient> ConnectAsync(PostHost host, Local local, Remote remote, CancellationToken cancellationToken)
    {
        try
        {
            return new FileClient(await host.AssociateAsync(local, remote, MessageExtensions.AssociationOptions, cancellationToken));
        }
        catch (PostException exception) when (
            remote.Trust.Proof == PeerProof.PinnedKey
            && exception.InnerException is TransportException { Reason: TransportErrorReason.AuthenticationFailed or TransportErrorReason.IdentityRefused })
        {
            throw new TransferException(
                ExitCode.NotConnected,
                $"{remote} has another key than {remote.Trust.PinnedKeys[0]}: it is not the server that is meant. If its key was renewed on "
                + "purpose, give the new one with --key, or take the server's line out of the known keys.",
                exception);
        }
        catch (PostException exception)
        {
            throw new TransferException(ExitCode.NotConnected, $"{remote} was not reached: {exception.Message}", exception);
        }
    }

    /// <summary>What the server has.</summary>
    public async Task<IReadOnlyList<FileEntry>> ListAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var request = ++_request;
        var guard = new ManifestGuard();
        await SendAsync(MessageType.List, request, new GetRequest(paths, []), cancellationToken);
        var done = await ReceiveAsync(
            request,
            (header, item) =>
            {
                if (header.Type == MessageType.Manifest)
                {
                    guard.Add(item.Read(ProtocolJson.Default.Manifest));
                }

                return default;
            },
            cancellationToken);
        guard.CheckComplete(done);
        return guard.Files;
    }

    /// <summary>Fetches files; what is here already, whole or in part, is not sent again.</summary>
    /// <param name="paths">Which; empty: all.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancellationToken">Breaks off; what came stays for a later run.</param>
    /// <returns>The files that were not transferred.</returns>
    public async Task<IReadOnlyList<FailedFile>> GetAsync(
        IReadOnlyList<string> paths, DestinationTree destination, TransferProgress progress, CancellationToken cancellationToken)
    {
        foreach (var path in paths)
        {
            if (SafePath.FindFault(path.TrimEnd('/')) is { } fault)
            {
                throw new TransferException(ExitCode.Usage, $"'{path}' {fault}.");
            }
        }

        var request = ++_request;
        using var receiver = new FileReceiver(destination, progress);
        await SendAsync(MessageType.Get, request, new GetRequest(paths, destination.ListHave(paths)), cancellationToken);
        var done = await ReceiveAsync(
            request,
            async (header, item) =>
            {
                switch (header.Type)
                {
                    case MessageType.Manifest:
                        receiver.OnManifest(item.Read(ProtocolJson.Default.Manifest));
                        break;
                    case MessageType.Chunk:
                        await receiver.OnChunkAsync(header, item, cancellationToken);
                        break;
                    case MessageType.FileFailed:
                        receiver.OnFileFailed(header, item.Read(ProtocolJson.Default.Failure));
                        break;
                    case MessageType.Progress:
                        progress.Sender = item.Read(ProtocolJson.Default.SenderProgress);
                        break;
                    default:
                        break;
                }
            },
            cancellationToken);
        receiver.OnDone(done);
        return receiver.Failed;
    }

    /// <summary>Puts files to a writable server; what is there already, whole or in part, is not sent again.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="paths">Which of it.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancellationToken">Breaks off; the server keeps what came.</param>
    /// <returns>The files that were not transferred.</returns>
    public async Task<IReadOnlyList<FailedFile>> PutAsync(
        SourceTree source, IReadOnlyList<string> paths, TransferProgress progress, CancellationToken cancellationToken)
    {
        var failed = new List<FailedFile>();
        foreach (var files in source.List(paths).Chunk(MaxOffer))
        {
            await PutAsync(source, files, progress, failed, cancellationToken);
        }

        return failed;
    }

    /// <summary>Reads along in a file of the server.</summary>
    /// <param name="path">Which.</param>
    /// <param name="offset">From where; negative: so many bytes before its end.</param>
    /// <param name="follow">Go on with what is written to it later.</param>
    /// <param name="output">Where to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task TailAsync(string path, long offset, bool follow, Stream output, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await association.OpenAsync(
                new StreamProperties { Niceness = TransferLimits.TailNiceness }, cancellationToken);
            await Lines.WriteAsync(stream, new TailRequest(path, offset, follow), ProtocolJson.Default.TailRequest, cancellationToken);
            var answer = System.Text.Json.JsonSerializer.Deserialize(
                await Lines.ReadAsync(stream, cancellationToken), ProtocolJson.Default.TailAnswer);
            if (answer?.Error is { } error)
            {
                throw new TransferException(ExitCode.Refused, error);
            }

            var buffer = new byte[64 * 1024];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                await output.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                await output.FlushAsync(cancellationToken);
            }
        }
        catch (PostException exception)
        {
            throw Interrupted(exception);
        }
    }

    public ValueTask DisposeAsync() => association.DisposeAsync();

    private static TransferException Interrupted(Exception exception) => new(
        ExitCode.Interrupted, $"The connection was lost ({exception.Message}). Run the same command again: only the rest will move.", exception);

    private async Task PutAsync(
        SourceTree source, FileEntry[] files, TransferProgress progress, List<FailedFile> failed, CancellationToken cancellationToken)
    {
        var request = ++_request;
        var granted = new TaskCompletionSource<PutGrant>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await SendAsync(MessageType.Offer, request, new PutOffer(files), ProtocolJson.Default.PutOffer, cancellationToken);
        var receiving = ReceiveAsync(
            request,
            (header, item) =>
            {
                if (header.Type == MessageType.Grant)
                {
                    granted.TrySetResult(item.Read(ProtocolJson.Default.PutGrant));
                }
                else if (header.Type == MessageType.FileFailed)
                {
                    failed.Add(new FailedFile(string.Empty, item.Read(ProtocolJson.Default.Failure).Reason));
                }

                return default;
            },
            both.Token);
        try
        {
            if (await Task.WhenAny(granted.Task, receiving) == granted.Task)
            {
                await SendFilesAsync(source, files, await granted.Task, request, progress, both.Token);
            }

            var done = await receiving;
            if (done.Files + done.Failed != files.Length)
            {
                throw new TransferException(
                    ExitCode.Incomplete,
                    $"The server speaks of {done.Files + done.Failed} files where {files.Length} were put. Run again.");
            }
        }
        catch (PostException exception)
        {
            throw Interrupted(exception);
        }
        finally
        {
            await both.CancelAsync();
            await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendFilesAsync(
        SourceTree source, FileEntry[] files, PutGrant grant, uint request, TransferProgress progress, CancellationToken cancellationToken)
    {
        var have = (grant.Have ?? []).Where(file => file?.Path is not null)
            .DistinctBy(file => file.Path).ToDictionary(file => file.Path, file => file.Have, StringComparer.Ordinal);
        var entries = files.Select(file => file with { Have = Math.Clamp(have.GetValueOrDefault(file.Path), 0, file.Size) }).ToList();
        foreach (var entry in entries)
        {
            progress.Announce(entry.Size, entry.Have);
        }

        var sender = new FileSender(association, source, request);
        var before = progress.Moved;
        var sending = sender.SendAsync(entries, cancellationToken);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        var confirmed = 0L;
        while (await Task.WhenAny(sending, timer.WaitForNextTickAsync(cancellationToken).AsTask()) != sending)
        {
            progress.Receive(sender.Progress.Sent - confirmed);
            confirmed = progress.Moved - before;
        }

        var done = await sending;
        progress.Receive(sender.Progress.Sent - confirmed);
        foreach (var entry in entries)
        {
            progress.EndFile(wasHere: entry.Have == entry.Size && entry.Size > 0);
        }

        await SendAsync(MessageType.Done, request, done, ProtocolJson.Default.Done, cancellationToken, sender.Antecedents);
    }

    private Task SendAsync(MessageType type, uint request, GetRequest message, CancellationToken cancellationToken) =>
        SendAsync(type, request, message, ProtocolJson.Default.GetRequest, cancellationToken);

    private async Task SendAsync<T>(
        MessageType type,
        uint request,
        T message,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> format,
        CancellationToken cancellationToken,
        IReadOnlyList<SentObject>? antecedents = null)
    {
        try
        {
            await association.SendAsync(type, request, message, format, 0, antecedents, cancellationToken);
        }
        catch (PostException exception)
        {
            throw Interrupted(exception);
        }
    }

    /// <summary>Takes what belongs to a request until its end.</summary>
    private async Task<Done> ReceiveAsync(
        uint request, Func<MessageHeader, ReceivedObject, ValueTask> onObject, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReceivedObject item;
            try
            {
                item = await association.ReceiveAsync(cancellationToken);
            }
            catch (PostException exception)
            {
                throw Interrupted(exception);
            }

            using (item)
            {
                if (!MessageHeader.TryParse(item.Metadata.Span, out var header))
                {
                    throw new TransferException(ExitCode.Refused, "The server does not speak the file protocol.");
                }

                if (header.Request == request && header.Type == MessageType.Refused)
                {
                    item.MarkProcessed();
                    throw new TransferException(ExitCode.Refused, item.Read(ProtocolJson.Default.Failure).Reason);
                }

                if (header.Request == request && header.Type != MessageType.Done)
                {
                    await onObject(header, item);
                }

                item.MarkProcessed();
                if (header.Request == request && header.Type == MessageType.Done)
                {
                    return item.Read(ProtocolJson.Default.Done);
                }
            }
        }
    }
}
