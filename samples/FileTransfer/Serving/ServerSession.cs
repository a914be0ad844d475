using System.Collections.Concurrent;
using System.Globalization;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Reporting;
using FileTransfer.Sending;
using FileTransfer.Sources;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;
using Post.Sockets;

namespace FileTransfer.Serving;

/// <summary>Serves one association: what it asks for is sent, what it puts is received, and what it follows is streamed.</summary>
internal sealed class ServerSession(Association association, SourceTree source, DestinationTree? destination, IReporter reporter)
{
    private readonly Dictionary<uint, DestinationSession> _puts = [];
    private readonly ConcurrentDictionary<uint, Get> _gets = new();

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
                    // What waits already is handed over without a look at the token.
                    ended.Token.ThrowIfCancellationRequested();
                    await OnObjectAsync(item, ended.Token);
                    item.MarkProcessed();
                }
            }
        }
        catch (TransferException exception)
        {
            // A client that breaks the rules is not served further.
            Log(exception.Message);
            association.Abort();
        }
        catch (Exception exception) when (exception is OperationCanceledException or PostException)
        {
            // It is over.
        }
        catch (Exception exception)
        {
            // Whatever it was: the client is not left waiting, and the others are served on.
            Log($"cannot be served any more: {exception.Message}");
            association.Abort();
        }
        finally
        {
            await ended.CancelAsync();
            foreach (var put in _puts.Values)
            {
                Log(string.Create(
                    CultureInfo.InvariantCulture,
                    $"left before it had put everything: {put.Progress.FilesDone} files, {put.Progress.Moved} bytes moved"));
                put.Dispose();
            }

            if (stopping.IsCancellationRequested)
            {
                // The peer learns at once that nobody serves it any more.
                association.Abort();
            }

            await Task.WhenAll(_gets.Values.Select(get => get.Running).Append(streams)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await association.DisposeAsync();
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
            throw new TransferException(ExitCode.Refused, "it does not speak this version of the file protocol");
        }

        switch (header.Type)
        {
            case MessageType.Get or MessageType.List:
                Begin(header, item.Read(ProtocolJson.Wire.GetRequest), cancellationToken);
                break;
            case MessageType.Put:
                await BeginPutAsync(header.Request, item.Read(ProtocolJson.Wire.PutRequest), cancellationToken);
                break;
            case MessageType.Want when _gets.TryGetValue(header.Request, out var get):
                get.Session?.OnWant(item.Read(ProtocolJson.Wire.Want));
                break;
            case MessageType.Stop when _gets.TryGetValue(header.Request, out var get):
                get.Session?.OnStop(RelativePath.Show(item.Read(ProtocolJson.Wire.Failure).Reason));
                break;
            default:
                if (_puts.TryGetValue(header.Request, out var put)
                    && await put.OnMessageAsync(header, item, cancellationToken) is { } finished)
                {
                    EndPut(header.Request, put, finished);
                }

                // Everything else is a late piece of a request that is over, or what a later version may know.
                break;
        }
    }

    private void Begin(MessageHeader header, GetRequest query, CancellationToken cancellationToken)
    {
        var get = new Get();
        if (_gets.Count >= TransferLimits.MaxRequests || !_gets.TryAdd(header.Request, get)
            || query.Paths is null || query.Paths.Count > TransferLimits.MaxPaths || query.Paths.Any(path => path is null))
        {
            throw new TransferException(ExitCode.Refused, "it asks for more than is allowed at a time");
        }

        var asked = query.Paths.Count == 0 ? "everything" : string.Join(", ", query.Paths.Take(3).Select(path => $"'{RelativePath.Show(path)}'"));
        Log($"{(header.Type == MessageType.List ? "lists" : "gets")} {asked}{(query.Paths.Count > 3 ? $" and {query.Paths.Count - 3} more" : string.Empty)}");
        try
        {
            get.Session = new SourceSession(
                association,
                header.Request,
                source,
                new SourceQuery(query.Paths, Exclusions.Of(query.Exclude), Math.Max(0, query.Depth), query.Checksum),
                new SendingRate(query.BytesPerSecond),
                new TransferProgress());
        }
        catch (TransferException exception)
        {
            get.Running = RefuseAsync(header.Request, exception.Message);
            _gets.TryRemove(header.Request, out _);
            return;
        }

        get.Running = Task.Run(() => AnswerAsync(header, get.Session, cancellationToken), CancellationToken.None);
    }

    private async Task AnswerAsync(MessageHeader header, SourceSession session, CancellationToken cancellationToken)
    {
        try
        {
            using (session)
            using (new ProgressNews(association, header.Request, session))
            {
                try
                {
                    await session.RunAsync(cancellationToken);
                }
                finally
                {
                    // Whoever stopped it, what went out went out.
                    if (header.Type == MessageType.Get)
                    {
                        Log(string.Create(
                            CultureInfo.InvariantCulture,
                            $"got {session.Contents.Files} files, {session.Contents.Bytes} bytes moved"));
                    }

                    if (session.Stopped is { } why)
                    {
                        Log($"stopped: {why}");
                    }
                }
            }

            foreach (var failed in session.Failed)
            {
                Log($"not transferred: {RelativePath.Show(failed.Path)}: {failed.Reason}");
            }
        }
        catch (TransferException exception)
        {
            Log($"refused: {exception.Message}");
            await RefuseAsync(header.Request, exception.Message);
        }
        catch (Exception exception) when (exception is OperationCanceledException || association.Completion.IsCompleted)
        {
            Log("left before it had everything");
        }
        catch (PostException exception)
        {
            Log($"cannot be sent everything: {exception.Message}");
            await RefuseAsync(header.Request, $"The server could not go on: {exception.Message}");
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            var fault = FileFaultException.Of(exception);
            Log($"cannot be served: {fault.InnerException?.Message ?? fault.Message}");
            await RefuseAsync(header.Request, $"The server cannot read what was asked for: {fault.Message}.");
        }
        finally
        {
            _gets.TryRemove(header.Request, out _);
        }
    }

    private async ValueTask BeginPutAsync(uint request, PutRequest put, CancellationToken cancellationToken)
    {
        if (destination is null)
        {
            Log("would put files, and is refused");
            await RefuseAsync(request, "This server takes no files: it runs without --writable.");
            return;
        }

        if (_puts.Count >= TransferLimits.MaxRequests || _puts.ContainsKey(request) || put.Client is null or { Length: > 64 })
        {
            throw new TransferException(ExitCode.Refused, "it puts more than is allowed at a time");
        }

        Log(put.DryRun ? "asks what it would put" : "puts files");
        var tree = put.DryRun ? destination.AsDryRun() : destination;
        _puts.Add(
            request,
            new DestinationSession(
                association, request, tree, new DestinationOptions { Owner = new FileOwner(put.Client), OnNote = Log }, new TransferProgress()));
        await association.SendAsync(
            new MessageHeader { Type = MessageType.Granted, Request = request },
            new Failure(string.Empty),
            ProtocolJson.Wire.Failure,
            null,
            cancellationToken);
    }

    private void EndPut(uint request, DestinationSession put, Finished finished)
    {
        _puts.Remove(request);
        put.Dispose();
        Log(string.Create(
            CultureInfo.InvariantCulture,
            $"put {finished.Files} files, {finished.Bytes} bytes moved"));
        if (finished.Stopped is { } why)
        {
            Log($"stopped: {why}");
        }

        foreach (var failed in put.Failed)
        {
            Log($"not received: {RelativePath.Show(failed.Path)}: {failed.Reason}");
        }
    }

    private async Task RefuseAsync(uint request, string reason)
    {
        try
        {
            await association.SendAsync(
                new MessageHeader { Type = MessageType.Refused, Request = request }, new Failure(reason), ProtocolJson.Wire.Failure);
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

                serving.Add(new TailService(source, Log).ServeAsync(stream, cancellationToken));
            }
        }
        catch (Exception exception) when (exception is PostException or OperationCanceledException)
        {
            await Task.WhenAll(serving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Log(string what) => reporter.Log($"{association.RemoteEndPoint} {what}");

    /// <summary>A request at work.</summary>
    private sealed class Get
    {
        public SourceSession? Session { get; set; }

        public Task Running { get; set; } = Task.CompletedTask;
    }
}
