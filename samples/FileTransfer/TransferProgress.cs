namespace FileTransfer;

/// <summary>How far a transfer is; written by one thread, read by any.</summary>
internal sealed class TransferProgress
{
    private long _files;
    private long _total;
    private long _here;
    private long _moved;
    private long _filesDone;
    private long _filesHere;
    private long _fetchedBefore;
    private long _movedBefore;

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

    /// <summary>Bytes that came over the network since the last connection was made.</summary>
    public long Moved => Volatile.Read(ref _moved);

    /// <summary>The same with those of the connections that were lost.</summary>
    public long MovedInAll => Moved + Volatile.Read(ref _movedBefore);

    /// <summary>What the sender last said of itself; null when it said nothing.</summary>
    public Protocol.SenderProgress? Sender { get; set; }

    public void Announce(long size, long here)
    {
        Volatile.Write(ref _files, _files + 1);
        Volatile.Write(ref _total, _total + size);
        Volatile.Write(ref _here, _here + here);
    }

    public void Receive(long bytes) => Volatile.Write(ref _moved, _moved + bytes);

    public void EndFile(bool wasHere = false)
    {
        Volatile.Write(ref _filesDone, _filesDone + 1);
        if (wasHere)
        {
            Volatile.Write(ref _filesHere, _filesHere + 1);
        }
    }

    /// <summary>The transfer begins again on a new connection, and everything is announced anew.</summary>
    public void Restart()
    {
        Volatile.Write(ref _movedBefore, MovedInAll);
        Volatile.Write(ref _fetchedBefore, _fetchedBefore + _filesDone - _filesHere);
        Volatile.Write(ref _moved, 0);
        Volatile.Write(ref _here, 0);
        Volatile.Write(ref _total, 0);
        Volatile.Write(ref _files, 0);
        Volatile.Write(ref _filesDone, 0);
        Volatile.Write(ref _filesHere, 0);
    }
}
