using System.Buffers;
using System.Security.Cryptography;
using FileTransfer.Protocol;
using FileTransfer.Storage.Directories;
using Post.Sockets;

namespace FileTransfer.Receiving;

/// <summary>
/// The destination's side of one request. It relies on the order that antecedents give: listings in sequence and before what is in them, the
/// chunks of a file in sequence, the end after all. A file that fails is noted, and the others go on; a source that breaks the rules is refused;
/// a disk that is full stops it.
/// </summary>
internal sealed class DestinationSession(
    Association association, uint request, DestinationTree tree, DestinationOptions options, TransferProgress progress) : IDisposable
{
    // Honest sources send one file after another, but what is under way of several may arrive in any order.
    private const int MaxOpenFiles = TransferLimits.MaxUnconfirmedObjects;

    private readonly ListingGuard _guard = new();
    private readonly Planner _planner = new(tree, options, progress);
    private readonly Commits? _commits = tree.IsDryRun ? null : new Commits(tree);
    private readonly Dictionary<uint, Wanted> _wanted = [];
    private readonly Dictionary<uint, IncomingFile> _open = [];
    private readonly List<FailedFile> _failed = [];
    private FileFaultException? _commitFault;
    private long _asked;

    /// <summary>Files that did not make it.</summary>
    public IReadOnlyList<FailedFile> Failed => _failed;

    /// <summary>Why it could not go on; null: it can.</summary>
    public string? Stopped { get; private set; }

    /// <summary>How it goes.</summary>
    public TransferProgress Progress => progress;

    /// <summary>Takes a message that belongs to the request.</summary>
    /// <returns>The end, when this was the last.</returns>
    /// <exception cref="TransferException">The source breaks the rules, or did not send what it says.</exception>
    /// <exception cref="PostException">The association ended.</exception>
    public async ValueTask<Finished?> OnMessageAsync(MessageHeader header, ReceivedObject item, CancellationToken cancellationToken)
    {
        options.Owner.Hear();
        if (Stopped is not null && header.Type is (MessageType.Batch or MessageType.Chunk or MessageType.Hole))
        {
            // The refusal reaches the source even before it has dealt with the stop.
            item.Reject();
            return null;
        }

        switch (header.Type)
        {
            case MessageType.Listing:
                await OnListingAsync(item.Read(ProtocolJson.Wire.Listing), cancellationToken);
                return null;
            case MessageType.ListingEnd:
                _guard.End(item.Read(ProtocolJson.Wire.ListingEnd));
                progress.EndListing();
                return null;
            case MessageType.Batch:
                await OnBatchAsync(item.Payload, cancellationToken);
                return null;
            case MessageType.Chunk or MessageType.Hole:
                await OnPieceAsync(header, item.Payload, cancellationToken);
                return null;
            case MessageType.FileFailed:
                OnFileFailed(header.File, item.Read(ProtocolJson.Wire.Failure));
                return null;
            case MessageType.Progress:
                progress.SetReading(item.Read(ProtocolJson.Wire.SourceProgress).Reading);
                return null;
            case MessageType.Done:
                return await OnDoneAsync(item.Read(ProtocolJson.Wire.Done), cancellationToken);
            default:
                // What a later version may know.
                return null;
        }
    }

    /// <summary>Leaves unfinished files for a later run.</summary>
    public void Dispose()
    {
        foreach (var file in _open.Values)
        {
            file.Dispose();
        }

        _open.Clear();
        _planner.Dispose();
        _commits?.Dispose();
    }

    private async ValueTask OnListingAsync(Listing listing, CancellationToken cancellationToken)
    {
        _guard.Add(listing);
        progress.List(listing.Entries.Count);
        _failed.AddRange(listing.Failed);
        foreach (var passedOver in listing.PassedOver)
        {
            options.OnNote($"passed over: {passedOver.Path}: {passedOver.Reason}");
        }

        var files = new List<WantedFile>();
        for (var place = 0; place < listing.Entries.Count && Stopped is null; place++)
        {
            var entry = listing.Entries[place];
            try
            {
                if (_planner.Decide(entry) is not { } plan)
                {
                    continue;
                }

                options.OnPlanned?.Invoke(entry);
                var number = listing.First + (uint)place;
                if (!tree.IsDryRun)
                {
                    _wanted.Add(number, new Wanted(entry, plan));
                }

                // Who puts tells of what would be put, and sends nothing.
                if (!tree.IsDryRun || options.OnPlanned is null)
                {
                    files.Add(new WantedFile(number, plan.From));
                }
            }
            catch (Exception exception) when (IsOfOneFile(exception))
            {
                await FailAsync(entry.Path, exception, cancellationToken);
            }
        }

        _asked += tree.IsDryRun ? 0 : files.Count;
        if (listing.Entries.Count > 0)
        {
            await association.SendAsync(
                Header(MessageType.Want), new Want(listing.First, files), ProtocolJson.Wire.Want, null, cancellationToken);
        }
    }

    private async ValueTask OnBatchAsync(ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        var length = (int)payload.Length;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(bytes);
            for (var offset = 0; offset < length && Stopped is null;)
            {
                offset += await TakeSmallAsync(bytes.AsMemory(offset, length - offset), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Takes the first file of a batch.</summary>
    /// <returns>How many bytes it takes there.</returns>
    private async ValueTask<int> TakeSmallAsync(ReadOnlyMemory<byte> batch, CancellationToken cancellationToken)
    {
        var rest = batch.Span;
        var contents = Batch.Take(ref rest, out var number, out var hash);
        var size = contents.Length;
        var taken = batch.Length - rest.Length;
        if (!_wanted.Remove(number, out var wanted))
        {
            throw NotWanted(number);
        }

        var path = wanted.Entry.Path;
        progress.Move(size);
        var isIntact = size == wanted.Entry.Size && SHA256.HashData(contents).AsSpan().SequenceEqual(hash);
        if (!isIntact)
        {
            Fail(path, "its hash is not that of what was sent; run again");
            return taken;
        }

        var name = tree.State.NewName();
        try
        {
            using (var file = tree.State.Directory.CreateNew(name, wanted.Plan.Mode))
            {
                RandomAccess.Write(file, contents, 0);
                wanted.Entry.Modified.SetOn(file);
                if (!Storage.Native.Libc.IsSupported)
                {
                    RandomAccess.FlushToDisk(file);
                }
            }
        }
        catch (Exception exception) when (IsOfOneFile(exception))
        {
            tree.State.Directory.Delete(name);
            await FailAsync(path, exception, cancellationToken);
            return taken;
        }

        await CommitAsync(new Commits.Staged(name, wanted.Plan.Path, path, HasNote: false), size, cancellationToken);
        return taken;
    }

    private async ValueTask OnPieceAsync(MessageHeader header, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        if (!_wanted.TryGetValue(header.File, out var wanted))
        {
            if (header.File >= _guard.Entries)
            {
                throw NotWanted(header.File);
            }

            // It failed here while more of it was on its way.
            return;
        }

        if (!_open.TryGetValue(header.File, out var file) && _open.Count >= MaxOpenFiles)
        {
            throw new TransferException(ExitCode.Refused, "The sender begins more files than it ends.");
        }

        try
        {
            if (file is null)
            {
                file = tree.Begin(wanted.Plan.Path, wanted.Entry, wanted.Plan.From, options.Owner);
                _open.Add(header.File, file);
            }

            if (header.Type == MessageType.Hole)
            {
                progress.Skip(file.AppendHole(payload));
            }
            else
            {
                file.Append(payload);
                progress.Move(payload.Length);
            }

            if (header.IsLast)
            {
                var isIntact = file.Finish(header.Hash.Span, wanted.Plan.Mode);
                Close(header.File);
                if (isIntact)
                {
                    var staged = new Commits.Staged(StateDirectory.KeyOf(file.Path) + ".part", file.Path, wanted.Entry.Path, HasNote: true);
                    await CommitAsync(staged, wanted.Entry.Size, cancellationToken);
                }
                else
                {
                    Fail(wanted.Entry.Path, "its hash is not that of what was sent, so it was dropped; run again");
                }
            }
        }
        catch (Exception exception) when (IsOfOneFile(exception))
        {
            Close(header.File);
            await FailAsync(wanted.Entry.Path, exception, cancellationToken);
        }
    }

    private void OnFileFailed(uint number, Failure failure)
    {
        if (!_wanted.TryGetValue(number, out var wanted))
        {
            if (number >= _guard.Entries)
            {
                throw NotWanted(number);
            }

            return;
        }

        if (_open.TryGetValue(number, out var file))
        {
            file.Forget();
        }

        Close(number);
        Fail(wanted.Entry.Path, failure.Reason);
    }

    private async ValueTask<Finished> OnDoneAsync(Done done, CancellationToken cancellationToken)
    {
        if (!done.IsStopped && (!_guard.IsComplete || done.Files + done.Failed != _asked))
        {
            throw new TransferException(
                ExitCode.Incomplete,
                $"{_asked} files were asked for, and the sender speaks of {done.Files} sent and {done.Failed} failed. Run again.");
        }

        foreach (var (number, wanted) in _wanted.OrderBy(pair => pair.Key).ToList())
        {
            Close(number);
            Fail(wanted.Entry.Path, Stopped is null ? "the sender did not send all of it; run again" : $"not received: {Stopped}");
        }

        if (_commits is not null)
        {
            Settle(await _commits.CompleteAsync());
            _planner.EndDirectories(Fail);
            SyncNames();
        }

        var finished = new Finished(progress.FilesDone, progress.FilesHere, progress.Moved, _failed.Count, Stopped);
        SentObject? last = null;
        foreach (var failed in _failed.Chunk(TransferLimits.MaxFailures))
        {
            last = await association.SendAsync(
                Header(MessageType.Failures), new Failures(failed), ProtocolJson.Wire.Failures, last, cancellationToken);
        }

        await association.SendAsync(Header(MessageType.Finished), finished, ProtocolJson.Wire.Finished, last, cancellationToken);
        return finished;
    }

    /// <summary>The names too are on the disk when the transfer is over: who then deletes the originals loses nothing.</summary>
    private void SyncNames()
    {
        try
        {
            tree.State.Directory.TrySyncAll();
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            Fail(".", $"the disk did not confirm all that was written: {FileFaultException.Of(exception).Message}");
        }
    }

    private async ValueTask CommitAsync(Commits.Staged file, long bytes, CancellationToken cancellationToken)
    {
        Settle(await _commits!.AddAsync(file, bytes));
        if (Stopped is null && _commitFault is { StopsEverything: true } fault)
        {
            await StopAsync(fault.Message, cancellationToken);
        }
    }

    private void Settle(List<Commits.Outcome> outcomes)
    {
        foreach (var (file, fault) in outcomes)
        {
            if (fault is null)
            {
                progress.EndFile();
            }
            else
            {
                _commitFault = fault;
                Fail(file.Shown, fault.Message);
            }
        }
    }

    private void Close(uint number)
    {
        _wanted.Remove(number);
        if (_open.Remove(number, out var file))
        {
            file.Dispose();
        }
    }

    private async ValueTask FailAsync(string path, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is TransferException refused)
        {
            Fail(path, refused.Message);
            return;
        }

        var fault = FileFaultException.Of(exception);
        Fail(path, fault.Message);
        if (fault.StopsEverything && Stopped is null)
        {
            await StopAsync(fault.Message, cancellationToken);
        }
    }

    /// <summary>Nothing more can be written: the source is told at once, and nothing more crosses the network for it.</summary>
    private async ValueTask StopAsync(string reason, CancellationToken cancellationToken)
    {
        Stopped = reason;
        await association.SendAsync(Header(MessageType.Stop), new Failure(reason), ProtocolJson.Wire.Failure, null, cancellationToken);
    }

    private void Fail(string path, string reason) => _failed.Add(new FailedFile(path, reason));

    private static bool IsOfOneFile(Exception exception) =>
        FileFaultException.IsOne(exception) || exception is TransferException { Code: ExitCode.LocalProblem };

    private static TransferException NotWanted(uint number) =>
        new(ExitCode.Refused, $"The sender sends file {number}, which was not asked for.");

    private MessageHeader Header(MessageType type) => new() { Type = type, Request = request };

    private sealed record Wanted(FileEntry Entry, Planner.Plan Plan);
}
