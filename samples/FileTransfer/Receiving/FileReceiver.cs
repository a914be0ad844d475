using FileTransfer.Protocol;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Receiving;

/// <summary>
/// Receives the files of one request. It relies on the order that the antecedents give: manifests before their files, and the chunks of a
/// file in sequence. A file that fails is noted, and the others go on; a sender that breaks the rules is refused.
/// </summary>
internal sealed class FileReceiver(DestinationTree destination, TransferProgress progress) : IDisposable
{
    // Honest senders send one file after another; only small reorderings keep several open.
    private const int MaxOpenFiles = TransferLimits.MaxUnconfirmedObjects;

    private readonly ManifestGuard _guard = new();
    private readonly Dictionary<uint, IncomingFile> _open = [];
    private readonly HashSet<uint> _ended = [];
    private readonly List<FailedFile> _failed = [];

    /// <summary>How it goes; read from any thread.</summary>
    public TransferProgress Progress => progress;

    /// <summary>Files that did not make it.</summary>
    public IReadOnlyList<FailedFile> Failed => _failed;

    /// <summary>Describes what comes.</summary>
    public void OnManifest(Manifest manifest)
    {
        var first = (uint)_guard.Files.Count;
        _guard.Add(manifest);
        for (var number = first; number < _guard.Files.Count; number++)
        {
            var file = _guard.Files[(int)number];
            Progress.Announce(file.Size, file.Have);
            if (file.Have == file.Size)
            {
                Settle(number, file);
            }
        }
    }

    /// <summary>Takes a piece of a file; when it returns, the piece is written.</summary>
    public async ValueTask OnChunkAsync(MessageHeader header, ReceivedObject item, CancellationToken cancellationToken)
    {
        if (header.File >= _guard.Files.Count)
        {
            throw new TransferException(ExitCode.Refused, $"The sender sends file {header.File}, which it has not described.");
        }

        if (_ended.Contains(header.File))
        {
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
                file = destination.Begin(_guard.Files[(int)header.File]);
                _open.Add(header.File, file);
            }

            await file.AppendAsync(item.Payload, cancellationToken);
            Progress.Receive(item.Length ?? 0);
            if (header.IsLast)
            {
                var isIntact = file.Complete(header.Hash.Span);
                Close(header.File);
                if (isIntact)
                {
                    Progress.EndFile();
                }
                else
                {
                    Fail(header.File, "Its hash is not that of what was sent; it was dropped. Run again.");
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Close(header.File);
            Fail(header.File, exception.Message);
        }
    }

    /// <summary>The sender gives a file up.</summary>
    public void OnFileFailed(MessageHeader header, Failure failure)
    {
        if (header.File < _guard.Files.Count && !_ended.Contains(header.File))
        {
            if (_open.TryGetValue(header.File, out var file))
            {
                file.Forget();
            }

            Close(header.File);
            Fail(header.File, failure.Reason);
        }
    }

    /// <summary>Everything came: what was described and did not end has failed.</summary>
    /// <exception cref="TransferException">Fewer files were described here than at the sender.</exception>
    public void OnDone(Done done)
    {
        _guard.CheckComplete(done);
        for (var number = 0u; number < _guard.Files.Count; number++)
        {
            if (!_ended.Contains(number))
            {
                Close(number);
                Fail(number, "The sender did not send all of it.");
            }
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
    }

    /// <summary>A file of which no byte is to come: it is here already, or it is empty.</summary>
    private void Settle(uint number, FileEntry file)
    {
        _ended.Add(number);
        if (destination.HasComplete(file))
        {
            Progress.EndFile(wasHere: file.Size > 0);
            return;
        }

        if (file.Size > 0)
        {
            Fail(number, "The sender says that it is here already, but it is not.");
            return;
        }

        try
        {
            using var empty = destination.Begin(file);
            empty.Complete(System.Security.Cryptography.SHA256.HashData([]));
            Progress.EndFile();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Fail(number, exception.Message);
        }
    }

    private void Close(uint number)
    {
        _ended.Add(number);
        if (_open.Remove(number, out var file))
        {
            file.Dispose();
        }
    }

    private void Fail(uint number, string reason) => _failed.Add(new FailedFile(_guard.Files[(int)number].Path, reason));
}
