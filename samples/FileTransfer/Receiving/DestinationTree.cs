using System.Collections.Concurrent;
using FileTransfer.Protocol;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Receiving;

/// <summary>
/// A directory that files are received into, by any number of sessions. A complete file takes its name in one step, so nobody ever sees half
/// of one.
/// </summary>
internal sealed class DestinationTree : IDisposable
{
    private readonly ConcurrentDictionary<string, IncomingFile> _arriving = new(StringComparer.Ordinal);
    private readonly StateDirectory? _state;

    /// <summary>Opens a directory, and makes it if need be.</summary>
    /// <param name="root">Which.</param>
    /// <param name="isDryRun">Nothing is changed: the directory need not be there, and is not made.</param>
    /// <exception cref="TransferException">It cannot be written to.</exception>
    public DestinationTree(string root, bool isDryRun = false)
    {
        try
        {
            if (!isDryRun)
            {
                Directory.CreateDirectory(root);
            }

            Root = !isDryRun || Directory.Exists(root) ? OpenDirectory.Open(root) : null;
            _state = isDryRun ? null : new StateDirectory(Root!);
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            Root?.Dispose();
            throw new TransferException(
                ExitCode.LocalProblem, $"'{root}' cannot be written to: {FileFaultException.Of(exception).Message}.", exception);
        }
    }

    private DestinationTree(OpenDirectory? root) => Root = root;

    /// <summary>The directory; null where it is not there, in a dry run.</summary>
    public OpenDirectory? Root { get; }

    public StateDirectory State => _state ?? throw new InvalidOperationException("A dry run receives nothing.");

    public bool IsDryRun => _state is null;

    /// <summary>How much of one version of a file is here, for a sender that goes on with it.</summary>
    /// <exception cref="FileFaultException">Somebody else is sending the file.</exception>
    public long CountUnfinished(string path, FileEntry entry, FileOwner owner)
    {
        if (_state is null)
        {
            return 0;
        }

        TakeOver(path, owner);
        return _state.CountUnfinished(path, entry);
    }

    /// <summary>Begins to receive a file, or goes on with it.</summary>
    /// <exception cref="FileFaultException">Somebody else is sending the file, or there is less of it than it was said.</exception>
    public IncomingFile Begin(string path, FileEntry entry, long from, FileOwner owner)
    {
        TakeOver(path, owner);
        var file = new IncomingFile(State, path, entry, from, owner, () => _arriving.TryRemove(path, out _));
        _arriving[path] = file;
        return file;
    }

    /// <summary>The same directory, of which nothing will be changed. It has nothing to be disposed.</summary>
    public DestinationTree AsDryRun() => new(Root);

    /// <summary>Lets go of it; what is unfinished stays for a later run.</summary>
    public void Dispose()
    {
        _state?.Dispose();
        Root?.Dispose();
    }

    private void TakeOver(string path, FileOwner owner)
    {
        if (_arriving.TryGetValue(path, out var other) && !ReferenceEquals(other.Owner, owner))
        {
            if (!other.Owner.YieldsTo(owner))
            {
                throw new FileFaultException(FaultKind.InUse);
            }

            other.GiveUp();
        }
    }
}
