namespace FileTransfer;

/// <summary>How far a transfer is; written by its two or three threads, read by any.</summary>
internal sealed class TransferProgress
{
    private long _listed;
    private long _files;
    private long _total;
    private long _here;
    private long _moved;
    private long _filesDone;
    private long _filesHere;
    private long _fetchedBefore;
    private long _movedBefore;
    private long _reading;
    private long _skipped;
    private volatile bool _isListed;

    /// <summary>Entries that the source has listed so far.</summary>
    public long Listed => Volatile.Read(ref _listed);

    /// <summary>Whether these are all.</summary>
    public bool IsListed => _isListed;

    /// <summary>Files announced.</summary>
    public long Files => Volatile.Read(ref _files);

    /// <summary>Files that are complete.</summary>
    public long FilesDone => Volatile.Read(ref _filesDone);

    /// <summary>Files among them that were complete before.</summary>
    public long FilesHere => Math.Max(0, Volatile.Read(ref _filesHere) - Volatile.Read(ref _fetchedBefore));

    /// <summary>Bytes of all announced files.</summary>
    public long Total => Volatile.Read(ref _total);

    /// <summary>Bytes of them that were here before.</summary>
    public long Here => Volatile.Read(ref _here);

    /// <summary>Bytes that went over the network since the last connection was made; holes are none.</summary>
    public long Moved => Volatile.Read(ref _moved);

    /// <summary>The same with those of the connections that were lost.</summary>
    public long MovedInAll => Moved + Volatile.Read(ref _movedBefore);

    /// <summary>Bytes of holes that came since the last connection was made.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    /// <summary>Bytes that are there now.</summary>
    public long There => Here + Moved + Skipped;

    /// <summary>Bytes read on either side without being moved: for a hash, or because the other side has them.</summary>
    public long Reading => Volatile.Read(ref _reading);

    public void List(long entries) => Interlocked.Add(ref _listed, entries);

    public void EndListing() => _isListed = true;

    /// <summary>What the other side has read.</summary>
    public void SetReading(long bytes) => Volatile.Write(ref _reading, bytes);

    public void Announce(long size, long here)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _total, size);
        Interlocked.Add(ref _here, here);
    }

    /// <summary>Bytes of holes: they are there without having been moved.</summary>
    public void Skip(long bytes) => Interlocked.Add(ref _skipped, bytes);

    /// <summary>Bytes that moved.</summary>
    public void Move(long bytes) => Interlocked.Add(ref _moved, bytes);

    public void EndFile(bool wasHere = false)
    {
        Interlocked.Increment(ref _filesDone);
        if (wasHere)
        {
            Interlocked.Increment(ref _filesHere);
        }
    }

    /// <summary>What the destination says in the end.</summary>
    public void Finish(Protocol.Finished finished)
    {
        Volatile.Write(ref _filesDone, finished.Files);
        Volatile.Write(ref _filesHere, finished.AlreadyThere);
    }

    /// <summary>The transfer begins again on a new connection, and everything is announced anew.</summary>
    public void Restart()
    {
        Volatile.Write(ref _movedBefore, MovedInAll);
        Volatile.Write(ref _fetchedBefore, _fetchedBefore + _filesDone - _filesHere);
        _isListed = false;
        Volatile.Write(ref _listed, 0);
        Volatile.Write(ref _moved, 0);
        Volatile.Write(ref _here, 0);
        Volatile.Write(ref _total, 0);
        Volatile.Write(ref _files, 0);
        Volatile.Write(ref _filesDone, 0);
        Volatile.Write(ref _filesHere, 0);
        Volatile.Write(ref _reading, 0);
        Volatile.Write(ref _skipped, 0);
    }
}
