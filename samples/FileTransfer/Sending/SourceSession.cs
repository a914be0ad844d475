using System.Threading.Channels;
using FileTransfer.Protocol;
using FileTransfer.Sources;
using FileTransfer.Storage.Directories;
using Post.Sockets;

namespace FileTransfer.Sending;

/// <summary>
/// The source's side of one request. It lists what it has; the destination answers each listing with what it wants of it, and that is sent,
/// while the next ones are listed. It never learns what else the destination has.
/// </summary>
/// <remarks>
/// What must not be overtaken has an antecedent: each listing the one before, the end of the listings the last of them, each chunk the one
/// before, the failure of a file what was sent of it, and the end of everything the end of the listings; all else is confirmed by then.
/// </remarks>
internal sealed class SourceSession : IDisposable
{
    // A receiver that refuses says why at the same time.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Association _association;
    private readonly uint _request;
    private readonly SourceQuery _query;
    private readonly SourceTree _tree;
    private readonly SemaphoreSlim _ahead = new(TransferLimits.MaxListingsAhead);
    private readonly Channel<FoundEntry[]> _wanted = Channel.CreateUnbounded<FoundEntry[]>();
    private readonly Dictionary<uint, FoundEntry[]> _unanswered = [];
    private readonly Dictionary<FoundEntry, WantedFile> _from = new(ReferenceEqualityComparer.Instance);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly TransferProgress _progress;
    private SentObject? _end;
    private bool _isListed;
    private long _listed;

    /// <summary>Prepares the answer to a request.</summary>
    /// <param name="association">Who asks.</param>
    /// <param name="request">The number of the request.</param>
    /// <param name="tree">What there is.</param>
    /// <param name="query">What of it is meant.</param>
    /// <param name="limit">How fast to send.</param>
    /// <param name="progress">Told how it goes.</param>
    public SourceSession(
        Association association, uint request, SourceTree tree, SourceQuery query, SendingRate limit, TransferProgress progress)
    {
        (_association, _request, _tree, _query, _progress) = (association, request, tree, query, progress);
        Contents = new ContentSender(association, request, limit, progress);
    }

    /// <summary>What was sent.</summary>
    public ContentSender Contents { get; }

    /// <summary>Told of each file that would be sent, in a dry run; null: it is sent.</summary>
    public Action<FileEntry>? OnPlanned { get; init; }

    /// <summary>Why the destination stopped it; null: it did not.</summary>
    public string? Stopped { get; private set; }

    /// <summary>Files here that cannot be transferred, as the listings say.</summary>
    public List<FailedFile> Failed { get; } = [];

    /// <summary>What is left out by a stated rule, as the listings say.</summary>
    public List<FailedFile> PassedOver { get; } = [];

    /// <summary>Entries listed so far.</summary>
    public long Listed => Volatile.Read(ref _listed);

    /// <summary>Lists, and sends what is wanted, until the destination has confirmed all of it.</summary>
    /// <exception cref="PostException">The association ended.</exception>
    /// <exception cref="TransferException">There is nothing of a name that was asked for.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var items = new TreeWalk(_tree, _query).Begin();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        var listing = ListAsync(items, both.Token);
        var sending = SendAsync(both.Token);
        try
        {
            // Whichever fails first ends the other.
            await await Task.WhenAny(listing, sending);
            await Task.WhenAll(listing, sending);
        }
        catch (Exception exception) when (IsStop(exception) && !cancellationToken.IsCancellationRequested)
        {
            // The destination wants no more; what is under way is of no use to it.
            Contents.Cancel();
            await Task.WhenAny(_stopped.Task, Task.Delay(StopTimeout, cancellationToken));
            if (Stopped is null)
            {
                throw;
            }
        }
        finally
        {
            await both.CancelAsync();
            await Task.WhenAll(listing, sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var done = new Done(Contents.Files, Contents.Bytes, Contents.Failed, Stopped is not null);
        await _association.SendAsync(Header(MessageType.Done), done, ProtocolJson.Wire.Done, _end, cancellationToken);
    }

    /// <summary>The destination answers a listing.</summary>
    /// <exception cref="TransferException">It answers what it was not asked.</exception>
    public void OnWant(Want want)
    {
        FoundEntry[]? entries;
        lock (_gate)
        {
            if (!_unanswered.TryGetValue(want.First, out entries))
            {
                throw new TransferException(ExitCode.Refused, "The receiver answers a listing that it was not sent, or twice.");
            }
        }

        var files = new List<FoundEntry>();
        foreach (var file in want.Files ?? [])
        {
            // Numbers only climb, so that no file is asked for twice.
            var place = (long)(file?.Number ?? 0) - want.First;
            if (file is null || place < 0 || place >= entries.Length || entries[place].Entry is not { Kind: FileKind.File } entry
                || file.From < 0 || file.From > entry.Size || (files.Count > 0 && _from[files[^1]].Number >= file.Number))
            {
                throw new TransferException(ExitCode.Refused, "The receiver asks for a file that it was not offered.");
            }

            lock (_gate)
            {
                _from[entries[place]] = file;
            }

            files.Add(entries[place]);
            _progress.Announce(entry.Size, file.From);
        }

        lock (_gate)
        {
            _unanswered.Remove(want.First);
            _wanted.Writer.TryWrite([.. files]);
            if (_isListed && _unanswered.Count == 0)
            {
                _wanted.Writer.TryComplete();
            }
        }
    }

    /// <summary>The destination cannot go on.</summary>
    public void OnStop(string reason)
    {
        Stopped = reason;
        _stopped.TrySetResult();
        _stopping.Cancel();
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _ahead.Dispose();
        Contents.Dispose();
    }

    private async Task ListAsync(IEnumerable<SourceItem> items, CancellationToken cancellationToken)
    {
        // A disk that is slow to list must hold nobody up.
        await Task.Yield();
        var page = new ListingPage();
        SentObject? last = null;
        foreach (var item in items)
        {
            cancellationToken.ThrowIfCancellationRequested();
            page.Add(item);
            if (page.IsFull)
            {
                last = await SendAsync(page, last, cancellationToken);
                page = new ListingPage();
            }
        }

        if (!page.IsEmpty)
        {
            last = await SendAsync(page, last, cancellationToken);
        }

        _progress.EndListing();
        _end = await _association.SendAsync(
            Header(MessageType.ListingEnd), new ListingEnd(_listed, Failed.Count), ProtocolJson.Wire.ListingEnd, last, cancellationToken);
        lock (_gate)
        {
            _isListed = true;
            if (_unanswered.Count == 0)
            {
                _wanted.Writer.TryComplete();
            }
        }
    }

    private async Task<SentObject> SendAsync(ListingPage page, SentObject? last, CancellationToken cancellationToken)
    {
        await _ahead.WaitAsync(cancellationToken);
        Failed.AddRange(page.Failed);
        PassedOver.AddRange(page.PassedOver);
        var first = (uint)_listed;
        lock (_gate)
        {
            _unanswered.Add(first, [.. page.Found]);
        }

        Volatile.Write(ref _listed, _listed + page.Found.Count);
        _progress.List(page.Found.Count);
        if (_listed > TransferLimits.MaxEntries)
        {
            throw new TransferException(
                ExitCode.Refused, $"There are more than {TransferLimits.MaxEntries} files; ask for some of the directories at a time.");
        }

        // A page of failures only has the number of the next one, so it is not answered: its key would come twice.
        if (page.Found.Count == 0)
        {
            lock (_gate)
            {
                _unanswered.Remove(first);
            }

            _ahead.Release();
        }

        return await _association.SendAsync(
            Header(MessageType.Listing), page.ToMessage(first), ProtocolJson.Wire.Listing, last, cancellationToken);
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_wanted.Reader.TryRead(out var files))
            {
                // Nothing more is known to be wanted, so what is gathered need not wait.
                await Contents.FlushAsync(cancellationToken);
                if (!await _wanted.Reader.WaitToReadAsync(cancellationToken))
                {
                    await Contents.DrainAsync(cancellationToken);
                    return;
                }

                continue;
            }

            foreach (var file in files)
            {
                WantedFile wanted;
                lock (_gate)
                {
                    _from.Remove(file, out wanted!);
                }

                if (OnPlanned is { } planned)
                {
                    planned(file.Entry);
                }
                else
                {
                    await Contents.SendAsync(file, wanted, cancellationToken);
                }
            }

            _ahead.Release();
        }
    }

    // A destination that stops also refuses what is under way to it, whatever depends on that expires, and any of them may be heard first.
    private bool IsStop(Exception exception) =>
        exception is PostException { Reason: PostErrorReason.ObjectRejected or PostErrorReason.ObjectExpired }
        || (exception is OperationCanceledException && Stopped is not null);

    private MessageHeader Header(MessageType type) => new() { Type = type, Request = _request };
}
