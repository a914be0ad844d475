namespace Post.Sockets.Scheduling;

/// <summary>
/// Says who is sent next. A pure data structure: it does no I/O, and only the owner of the association calls it.
/// </summary>
internal sealed class SendScheduler
{
    /// <summary>The class of streams within their reservation: before every niceness.</summary>
    public const int ReservedClass = -1;

    /// <summary>
    /// Large objects of one class that are under way at a time. More would share no better, and each holds a stream of the peer's limit.
    /// </summary>
    public const int MaxSharing = 32;

    private readonly IndexedHeap<SendEntry, SendKey, SendEntry.Slot> _started = new();
    private readonly IndexedHeap<SendEntry, SendKey, SendEntry.Slot> _fresh = new();
    private readonly List<SendClass> _classes = [];

    /// <summary>Entries that are ready to be served.</summary>
    public int Count => _started.Count + _fresh.Count;

    /// <summary>Those of them of which nothing was sent yet.</summary>
    public int FreshCount => _fresh.Count;

    /// <summary>Registers an entry with its class.</summary>
    public void Join(SendEntry entry) => Class(entry.Class).Members++;

    /// <summary>Unregisters an entry that will never be served again.</summary>
    public void Leave(SendEntry entry)
    {
        Remove(entry);
        Leave(Class(entry.Class));
    }

    /// <summary>Makes an entry ready.</summary>
    public void Add(SendEntry entry)
    {
        // A newcomer starts where its class is now: it owes nothing for the past and has no claim from it. One that was taken out before its
        // first turn, to be given a stream, keeps its place.
        if (entry.IsStarted || entry.Turn < 0)
        {
            entry.Turn = Math.Max(entry.Turn, Class(entry.Class).VirtualTime);
        }

        HeapOf(entry).AddOrUpdate(entry, entry.Key);
    }

    /// <summary>Takes an entry out, if it is in.</summary>
    public void Remove(SendEntry entry) => HeapOf(entry).Remove(entry);

    /// <summary>The most urgent entry. With <paramref name="startedOnly"/>, among those under way.</summary>
    public SendEntry? Peek(bool startedOnly)
    {
        if (startedOnly || _fresh.Count == 0)
        {
            return _started.Count == 0 ? null : _started.Peek;
        }

        return _started.Count == 0 || _fresh.PeekKey.CompareTo(_started.PeekKey) < 0 ? _fresh.Peek : _started.Peek;
    }

    /// <summary>Accounts for a chunk that is handed over now; the entry is out until it is added again.</summary>
    public void Serve(SendEntry entry, long bytes)
    {
        Remove(entry);
        var sendClass = Class(entry.Class);

        // Time goes on with what is served, shared out among those that are there: else small newcomers, each of which starts at the present
        // time and leaves after one turn, would keep it where it is, and what has had a turn would wait for ever beside them.
        var share = bytes / Math.Clamp(sendClass.Members, 1, MaxSharing);
        sendClass.VirtualTime = Math.Max(sendClass.VirtualTime + share, entry.Turn);
        entry.Turn += bytes;
        entry.IsStarted = true;
    }

    /// <summary>An entry is under way already, though nothing of it was served here.</summary>
    public void GoOn(SendEntry entry)
    {
        Remove(entry);
        entry.IsStarted = true;
    }

    /// <summary>Changes the rank of an entry, whether ready or not.</summary>
    public void Move(SendEntry entry, int sendClass, long deadline)
    {
        if (entry.Class == sendClass && entry.Deadline == deadline)
        {
            return;
        }

        var ready = entry.HeapIndex >= 0;
        Remove(entry);
        if (entry.Class != sendClass)
        {
            Class(sendClass).Members++;
            Leave(Class(entry.Class));
            entry.Class = sendClass;

            // Turns of different classes do not compare.
            entry.Turn = -1;
        }

        entry.Deadline = deadline;
        if (ready)
        {
            Add(entry);
        }
    }

    /// <summary>The state of a class, made when missing.</summary>
    public SendClass Class(int niceness)
    {
        var index = IndexOf(niceness);
        if (index < _classes.Count && _classes[index].Niceness == niceness)
        {
            return _classes[index];
        }

        var created = new SendClass(niceness);
        _classes.Insert(index, created);
        return created;
    }

    /// <summary>
    /// Bytes with the transport that are sure to leave before those of an entry: of more urgent classes, and of its own where none of them has
    /// a later deadline.
    /// </summary>
    public long OutstandingBefore(SendEntry entry)
    {
        var own = Class(entry.Class);
        return OutstandingUpTo(entry.Class) - (entry.Deadline >= own.OutstandingDeadline ? 0 : own.Outstanding);
    }

    /// <summary>
    /// Bytes with the transport that compete with this class: its own and those of more urgent ones. What is less urgent never keeps it
    /// waiting.
    /// </summary>
    public long OutstandingUpTo(int niceness)
    {
        long sum = 0;
        foreach (var sendClass in _classes)
        {
            if (sendClass.Niceness > niceness)
            {
                break;
            }

            sum += sendClass.Outstanding;
        }

        return sum;
    }

    /// <summary>Likewise, bytes of the receiver's budget.</summary>
    public long CreditUpTo(int niceness)
    {
        long sum = 0;
        foreach (var sendClass in _classes)
        {
            if (sendClass.Niceness > niceness)
            {
                break;
            }

            sum += sendClass.Credit;
        }

        return sum;
    }

    /// <summary>Takes back bytes with the transport, in whatever class they were counted.</summary>
    public void ReleaseOutstanding(int niceness, long bytes)
    {
        var sendClass = Class(niceness);
        sendClass.Release(bytes);
        Forget(sendClass);
    }

    /// <summary>Likewise, bytes of the receiver's budget.</summary>
    public void ReleaseCredit(int niceness, long bytes)
    {
        var sendClass = Class(niceness);
        sendClass.Credit -= bytes;
        Forget(sendClass);
    }

    /// <summary>Starts an entry over: it is not under way any more, and out until it is added again.</summary>
    public void StartOver(SendEntry entry)
    {
        Remove(entry);
        entry.IsStarted = false;
        entry.IsParked = false;
        entry.Turn = -1;
    }

    /// <summary>Nobody waits for fewer to share a class any more.</summary>
    public void ForgetParked()
    {
        foreach (var sendClass in _classes)
        {
            sendClass.Parked.Clear();
        }
    }

    private IndexedHeap<SendEntry, SendKey, SendEntry.Slot> HeapOf(SendEntry entry) => entry.IsStarted ? _started : _fresh;

    private void Leave(SendClass sendClass)
    {
        sendClass.Members--;
        Forget(sendClass);
    }

    private void Forget(SendClass sendClass)
    {
        // Any application can use any number as niceness: classes must not pile up.
        if (sendClass is { Members: 0, Outstanding: 0, Credit: 0 })
        {
            _classes.Remove(sendClass);
        }
    }

    private int IndexOf(int niceness)
    {
        var low = 0;
        var high = _classes.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_classes[middle].Niceness < niceness)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
