using System.Collections.Concurrent;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Reporting;
using FileTransfer.Sending;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Serving;

/// <summary>Serves one association: what it asks for is sent, what it offers is received, and what it follows is streamed.</summary>
internal sealed class ServerSession(Association association, SourceTree source, DestinationTree? destination, IReporter reporter)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<uint, FileReceiver> _puts = [];
    private readonly ConcurrentDictionary<uint, Task> _gets = new();

    /// <summary>Serves until the association ends, or the program stops.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _ = association.Completion.ContinueWith(_ => CancelQuietly(ended), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        var streams = ServeStreamsAsync(ended.Token);
        try
        {
            await foreach (var item in association.ReceiveAllAsync(ended.Token))
            {
                using (item)
                {
                    await OnObjectAsync(item, ended.Token);
                    item.MarkProcessed();
                }
            }
        }
        catch (TransferException exception)
        {
            // A client that breaks the rules is not served further.
            reporter.Note($"{association.RemoteEndPoint}: {exception.Message}");
            association.Abort();
        }
        catch (Exception exception) when (exception is OperationCanceledException or PostException)
        {
            // It is over.
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(_gets.Values.Append(streams)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var receiver in _puts.Values)
            {
                receiver.Dispose();
            }

            await association.CloseAsync(CancellationToken.None);
        }
    }

    private static void CancelQuietly(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The session ended first.
        }
    }

    private async ValueTask OnObjectAsync(ReceivedObject item, CancellationToken cancellationToken)
    {
        if (!MessageHeader.TryParse(item.Metadata.Span, out var header))
        {
            throw new TransferException(ExitCode.Refused, "It does not speak the file protocol.");
        }

        switch (header.Type)
        {
            case MessageType.Get or MessageType.List:
                Begin(header, item.Read(ProtocolJson.Default.GetRequest), cancellationToken);
                break;
            case MessageType.Offer:
                await TakeOfferAsync(header.Request, item.Read(ProtocolJson.Default.PutOffer), cancellationToken);
                break;
            case MessageType.Manifest when _puts.TryGetValue(header.Request, out var put):
                put.OnManifest(item.Read(ProtocolJson.Default.Manifest));
                break;
            case MessageType.Chunk when _puts.TryGetValue(header.Request, out var put):
                await put.OnChunkAsync(header, item, cancellationToken);
                break;
            case MessageType.FileFailed when _puts.TryGetValue(header.Request, out var put):
                put.OnFileFailed(header, item.Read(ProtocolJson.Default.Failure));
                break;
            case MessageType.Done when _puts.Remove(header.Request, out var put):
                await EndPutAsync(header.Request, put, item.Read(ProtocolJson.Default.Done), cancellationToken);
                break;
            default:
                // Late pieces of a request that was refused, and what a later version may know.
                break;
        }
    }

    private void Begin(MessageHeader header, GetRequest request, CancellationToken cancellationToken)
    {
        if (_gets.Count >= TransferLimits.MaxRequests || !_gets.TryAdd(header.Request, Task.CompletedTask))
        {
            throw new TransferException(ExitCode.Refused, "It asks for more than is allowed at a time.");
        }

        _gets[header.Request] = Task.Run(() => AnswerAsync(header, request, cancellationToken), cancellationToken);
    }

    private async Task AnswerAsync(MessageHeader header, GetRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var files = source.List(request.Paths ?? []);
            var sender = new FileSender(association, source, header.Request);
            Done done;
            if (header.Type == MessageType.List)
            {
                // A listing is a manifest of which nothing follows.
                done = await sender.SendAsync(files.Select(file => file with { Have = file.Size }), cancellationToken);
            }
            else
            {
                var have = (request.Have ?? []).Where(file => file?.Path is not null)
                    .DistinctBy(file => file.Path).ToDictionary(file => file.Path, StringComparer.Ordinal);
                done = await WithProgressAsync(
                    header.Request, sender, sender.SendAsync(files.Select(file => file with { Have = HaveOf(have, file) }), cancellationToken));
                reporter.Note($"{association.RemoteEndPoint} got {done.Files} files, {done.Bytes} bytes moved");
            }

            await association.SendAsync(
                MessageType.Done, header.Request, done, ProtocolJson.Default.Done, 0, sender.Antecedents, cancellationToken);
        }
        catch (TransferException exception)
        {
            await RefuseAsync(header.Request, exception.Message);
        }
        catch (Exception exception) when (exception is PostException or OperationCanceledException)
        {
            reporter.Note($"{association.RemoteEndPoint} left before it had everything");
        }
        catch (Exception exception)
        {
            await RefuseAsync(header.Request, "The server cannot read what was asked for.");
            reporter.Note($"{association.RemoteEndPoint}: {exception.Message}");
        }
        finally
        {
            _gets.TryRemove(header.Request, out _);
        }
    }

    private static long HaveOf(Dictionary<string, FileEntry> have, FileEntry file) =>
        have.TryGetValue(file.Path, out var theirs) && theirs.Size == file.Size && theirs.Modified == file.Modified
            ? Math.Clamp(theirs.Have, 0, file.Size)
            : 0;

    private async Task<Done> WithProgressAsync(uint request, FileSender sender, Task<Done> sending)
    {
        using var timer = new PeriodicTimer(ProgressInterval);
        while (!sending.IsCompleted)
        {
            var tick = timer.WaitForNextTickAsync().AsTask();
            if (await Task.WhenAny(sending, tick) == tick)
            {
                try
                {
                    association.SendProgress(request, sender.Progress);
                }
                catch (PostException)
                {
                    // News only; what ails the association shows in the sending itself.
                }
            }
        }

        return await sending;
    }

    private async ValueTask TakeOfferAsync(uint request, PutOffer offer, CancellationToken cancellationToken)
    {
        if (destination is null)
        {
            await RefuseAsync(request, "This server takes no files: it runs without --writable.");
            return;
        }

        if (_puts.Count >= TransferLimits.MaxRequests || _puts.ContainsKey(request) || offer.Files is null)
        {
            throw new TransferException(ExitCode.Refused, "It offers more than is allowed at a time.");
        }

        var guard = new ManifestGuard();
        foreach (var batch in offer.Files.Chunk(TransferLimits.MaxManifestFiles))
        {
            guard.Add(new Manifest((uint)guard.Files.Count, batch));
        }

        _puts.Add(request, new FileReceiver(destination, new TransferProgress()));
        var have = guard.Files.Select(file => file with { Have = destination.CountHave(file) }).Where(file => file.Have > 0).ToList();
        await association.SendAsync(
            MessageType.Grant, request, new PutGrant(have), ProtocolJson.Default.PutGrant, cancellationToken: cancellationToken);
    }

    private async ValueTask EndPutAsync(uint request, FileReceiver receiver, Done end, CancellationToken cancellationToken)
    {
        using (receiver)
        {
            receiver.OnDone(end);
            SentObject? last = null;
            foreach (var (failed, number) in receiver.Failed.Select((failed, number) => (failed, (uint)number)))
            {
                last = await association.SendAsync(
                    MessageType.FileFailed,
                    request,
                    new Failure($"{failed.Path}: {failed.Reason}"),
                    ProtocolJson.Default.Failure,
                    number,
                    last is null ? [] : [last],
                    cancellationToken);
            }

            var progress = receiver.Progress;
            await association.SendAsync(
                MessageType.Done,
                request,
                new Done(progress.FilesDone, progress.Moved, receiver.Failed.Count),
                ProtocolJson.Default.Done,
                0,
                last is null ? [] : [last],
                cancellationToken);
            reporter.Note($"{association.RemoteEndPoint} put {progress.FilesDone} files, {progress.Moved} bytes moved");
        }
    }

    private async Task RefuseAsync(uint request, string reason)
    {
        try
        {
            await association.SendAsync(MessageType.Refused, request, new Failure(reason), ProtocolJson.Default.Failure);
        }
        catch (PostException)
        {
            // Nobody is there to be told.
        }
    }

    private async Task ServeStreamsAsync(CancellationToken cancellationToken)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var stream = await association.AcceptStreamAsync(cancellationToken);
                serving.RemoveAll(task => task.IsCompleted);
                if (serving.Count >= TransferLimits.MaxRequests)
                {
                    stream.Abort();
                    continue;
                }

                serving.Add(new TailService(source).ServeAsync(stream, cancellationToken));
            }
        }
        catch (Exception exception) when (exception is PostException or OperationCanceledException)
        {
            await Task.WhenAll(serving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
