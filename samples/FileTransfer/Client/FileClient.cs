using System.Text.Json;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Sending;
using FileTransfer.Sources;
using Post.Sockets;
using Post.Sockets.Transport;

namespace FileTransfer.Client;

/// <summary>The other end of a <see cref="Serving.FileServer"/>: one request at a time on one association.</summary>
internal sealed class FileClient(Association association) : IAsyncDisposable
{
    private uint _request;
    private bool _isBroken;

    public Association Association => association;

    /// <summary>Associates with a server.</summary>
    /// <exception cref="TransferException">It cannot be reached, or is not who it should be.</exception>
    public static async Task<FileClient> ConnectAsync(AssociationFactory host, Local local, Remote remote, CancellationToken cancellationToken)
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
                $"{remote} is not the server that is meant: {exception.Message} If its key was renewed on purpose, give the new one with "
                + "--key, or take the server's line out of the known keys.",
                exception);
        }
        catch (PostException exception)
        {
            throw new TransferException(ExitCode.NotConnected, $"{remote} was not reached: {exception.Message}", exception);
        }
    }

    /// <summary>What the server has.</summary>
    /// <param name="query">What of it.</param>
    /// <param name="onListing">Told of it, a part at a time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ListingEnd> ListAsync(GetRequest query, Action<Listing> onListing, CancellationToken cancellationToken)
    {
        var guard = new ListingGuard();
        return await RunAsync(
            MessageType.List,
            query,
            ProtocolJson.Wire.GetRequest,
            async (request, header, item) =>
            {
                switch (header.Type)
                {
                    case MessageType.Listing:
                        var listing = item.Read(ProtocolJson.Wire.Listing);
                        guard.Add(listing);
                        onListing(listing);

                        // Nothing of it is wanted; the answer lets the server go on.
                        if (listing.Entries.Count > 0)
                        {
                            await association.SendAsync(
                                new MessageHeader { Type = MessageType.Want, Request = request },
                                new Want(listing.First, []),
                                ProtocolJson.Wire.Want,
                                null,
                                cancellationToken);
                        }

                        return null;
                    case MessageType.ListingEnd:
                        var end = item.Read(ProtocolJson.Wire.ListingEnd);
                        guard.End(end);
                        return end;
                    default:
                        return null;
                }
            },
            cancellationToken);
    }

    /// <summary>Fetches files; what is here already, whole or in part, is not sent again.</summary>
    /// <param name="query">Which.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancellationToken">Breaks off; what came stays for a later run.</param>
    public async Task<TransferResult> GetAsync(
        GetRequest query,
        DestinationTree destination,
        DestinationOptions options,
        TransferProgress progress,
        CancellationToken cancellationToken)
    {
        DestinationSession? session = null;
        try
        {
            var finished = await RunAsync(
                MessageType.Get,
                query,
                ProtocolJson.Wire.GetRequest,
                (request, header, item) =>
                {
                    session ??= new DestinationSession(association, request, destination, options, progress);
                    return session.OnMessageAsync(header, item, cancellationToken);
                },
                cancellationToken);
            return new TransferResult(session!.Failed, finished.Stopped);
        }
        finally
        {
            session?.Dispose();
        }
    }

    /// <summary>Puts files to a writable server; what is there already, whole or in part, is not sent again.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="query">Which of it.</param>
    /// <param name="put">Who puts, and how.</param>
    /// <param name="limit">How fast.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="onPlanned">Told in a dry run of what would be put.</param>
    /// <param name="onNote">Told of what is passed over.</param>
    /// <param name="cancellationToken">Breaks off; the server keeps what came.</param>
    public async Task<TransferResult> PutAsync(
        SourceTree source,
        SourceQuery query,
        PutRequest put,
        SendingRate limit,
        TransferProgress progress,
        Action<FileEntry> onPlanned,
        Action<string> onNote,
        CancellationToken cancellationToken)
    {
        var failed = new List<FailedFile>();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        SourceSession? session = null;
        var sending = Task.CompletedTask;
        Exception? failure = null;
        try
        {
            var finished = await RunAsync(
                MessageType.Put,
                put,
                ProtocolJson.Wire.PutRequest,
                (request, header, item) =>
                {
                    switch (header.Type)
                    {
                        case MessageType.Granted when session is null:
                            session = new SourceSession(association, request, source, query, limit, progress)
                            {
                                OnPlanned = put.DryRun ? onPlanned : null,
                            };
                            sending = SendAsync(session, request);
                            return default;
                        case MessageType.Want:
                            session?.OnWant(item.Read(ProtocolJson.Wire.Want));
                            return default;
                        case MessageType.Stop:
                            session?.OnStop(item.Read(ProtocolJson.Wire.Failure).Reason);
                            return default;
                        case MessageType.Failures:
                            failed.AddRange(item.Read(ProtocolJson.Wire.Failures).Files ?? []);
                            return default;
                        case MessageType.Finished:
                            return new ValueTask<Finished?>(item.Read(ProtocolJson.Wire.Finished));
                        default:
                            return default;
                    }
                },
                stopping.Token);
            await sending;
            if (failed.Count != finished.Failed)
            {
                throw new TransferException(
                    ExitCode.Incomplete, $"The server speaks of {finished.Failed} failures, of which {failed.Count} arrived. Run again.");
            }

            progress.Finish(finished);
            session?.PassedOver.ForEach(what => onNote($"passed over: {what.Path}: {what.Reason}"));
            return new TransferResult(failed, finished.Stopped);
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            throw failure is PostException ? Interrupted(failure) : failure;
        }
        finally
        {
            await stopping.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            session?.Dispose();
        }

        async Task SendAsync(SourceSession running, uint request)
        {
            try
            {
                using var news = new ProgressNews(association, request, running);
                await running.RunAsync(stopping.Token);
            }
            catch (Exception exception) when (!stopping.IsCancellationRequested)
            {
                // Nobody would end the wait for the server's answer.
                failure = exception;
                await stopping.CancelAsync();
            }
        }
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
            await using var stream = await association.OpenStreamAsync(
                new StreamProperties { Niceness = TransferLimits.TailNiceness }, cancellationToken);
            await Lines.WriteAsync(stream, new TailRequest(path, offset, follow), ProtocolJson.Wire.TailRequest, cancellationToken);
            var answer = JsonSerializer.Deserialize(await Lines.ReadAsync(stream, cancellationToken), ProtocolJson.Wire.TailAnswer);
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
        catch (JsonException exception)
        {
            throw new TransferException(ExitCode.Refused, "The server does not speak this version of the file protocol.", exception);
        }
    }

    /// <summary>Ends the association: in order, or, when a request broke off, at once, and the server learns it at once.</summary>
    public ValueTask DisposeAsync()
    {
        if (_isBroken)
        {
            association.Abort();
        }

        return association.DisposeAsync();
    }

    private static TransferException Interrupted(Exception exception) => new(
        ExitCode.Interrupted, $"The connection was lost ({exception.Message}). Run the same command again: only the rest will move.", exception);

    /// <summary>Sends a request and takes what comes for it.</summary>
    private async Task<TResult> RunAsync<TRequest, TResult>(
        MessageType type,
        TRequest message,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<TRequest> format,
        Func<uint, MessageHeader, ReceivedObject, ValueTask<TResult?>> handle,
        CancellationToken cancellationToken)
        where TResult : class
    {
        var request = ++_request;
        var isComplete = false;
        try
        {
            var header = new MessageHeader { Type = type, Request = request };
            var sent = await association.SendAsync(header, message, format, null, cancellationToken);
            var result = await ResultReader.ReceiveAsync<TResult>(
                association, request, (received, item) => handle(request, received, item), cancellationToken);
            (await sent.Completion).EnsureAcked();
            isComplete = true;
            return result;
        }
        catch (PostException exception)
        {
            throw Interrupted(exception);
        }
        finally
        {
            _isBroken |= !isComplete;
        }
    }
}
